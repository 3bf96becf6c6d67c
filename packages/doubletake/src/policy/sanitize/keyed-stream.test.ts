import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyedStream } from './keyed-stream.ts';

test('a digest is the HMAC-SHA-256 of the text, whatever the lengths of key and text', () => {
  const text = fc.oneof(fc.string({ maxLength: 130 }), fc.string({ unit: 'binary', maxLength: 600 }));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 130 }), text, (keyBytes, value) => {
      const key = Buffer.from(keyBytes);
      expect(new KeyedStream(key).digest(value)).toEqual(createHmac('sha256', key).update(value).digest());
    }),
    { numRuns: 500 },
  );
});
