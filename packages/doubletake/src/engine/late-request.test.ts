import { expect, test } from 'vitest';
import { LateRequest } from './late-request.ts';

test('a late request is written once, when its bytes are asked for', () => {
  const early = { bytes: [Buffer.from('early')], length: 5, method: 'PUT', lane: {}, timeUs: 7, probability: 0.5 };
  let written = 0;
  const late = new LateRequest(early, () => [Buffer.from(`late ${++written}`)]);
  const { length, method, lane, timeUs, probability } = late;
  expect({ length, method, lane, timeUs, probability, bytes: early.bytes }).toEqual(early);
  expect(written).toBe(0);
  expect([late.bytes, late.bytes].map(String)).toEqual(['late 1', 'late 1']);
});
