import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { playInto, type Step } from '../../test/support/http-script.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function post(bytes: number): Step[] {
  const piece = Buffer.alloc(1_000, 'x');
  const head = `POST /p HTTP/1.1\r\nContent-Length: ${bytes}\r\n\r\n`;
  return [{ client: head }, ...Array.from({ length: bytes / piece.length }, () => ({ client: piece }))];
}

describe('bounds', () => {
  it('a body is kept up to its limit, and counted beyond it', () => {
    for (const [bytes, tooLarge] of [[5_000, false], [6_000, true]] as const) {
      const { recorder, assembler } = playInto([...post(bytes), { client: GET }], { limits: { requestBodyBytesMax: 5_000 } });
      const { body } = recorder.exchanges[0].request;
      expect(body).toMatchObject({ bytes, wireBytes: bytes, tooLarge });
      expect(body.wire === null ? null : Buffer.concat(body.wire).length).toBe(tooLarge ? null : bytes);
      expect(recorder.exchanges.length).toBe(2);
      expect(assembler.counters.bodiesTooLarge).toBe(tooLarge ? 1 : 0);
    }
  });

  it('a chunked body is measured on the wire, and dropped when it grows too large', () => {
    const chunked = `POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(100)}0\r\n\r\n`;
    const { recorder } = playInto([{ client: chunked }], { limits: { requestBodyBytesMax: 500 } });
    expect(recorder.exchanges[0].request.body).toMatchObject({ bytes: 100, wireBytes: 605, tooLarge: true, wire: null });
  });

  it('response bodies are not kept unless asked for', () => {
    const steps = [{ client: GET }, { server: OK }];
    expect(playInto(steps).recorder.exchanges[0].response?.body).toMatchObject({ wire: null, tooLarge: false, bytes: 2 });
    const kept = playInto(steps, { limits: { responseBodyBytesMax: 10 } }).recorder.exchanges[0].response?.body.wire;
    expect(kept?.map(String)).toEqual(['ok']);
  });

  it('hashes bodies without their transfer coding', () => {
    const { recorder } = playInto([{ client: 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n' + GET }], {
      limits: { hashBodies: true },
    });
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
    expect(recorder.exchanges.map(({ request }) => request.body.sha256)).toEqual([sha256('abc'), sha256('')]);
  });

  it('a head without end is given up, and the next request is found', () => {
    const endless: Step[] = Array.from({ length: 50 }, () => ({ client: Buffer.alloc(1_000, 'a') }));
    for (const start of ['GET /', 'GET / HTTP/1.1\r\nX: ']) {
      const steps = [{ client: start }, ...endless, { server: OK }, { client: GET }];
      const { recorder, assembler } = playInto(steps, { limits: { headBytesMax: 20_000 } });
      expect(assembler.counters.headsTooLarge).toBe(1);
      expect(recorder.events[0]).toBe('partial request too_large');
      expect(recorder.exchanges.length).toBe(1);
      expect(assembler.keptBytes.peak).toBeLessThanOrEqual(20_000);
    }
  });

  it('all unfinished messages together stay within their bound', () => {
    const { recorder, assembler } = playInto(post(9_000), { limits: { keptBytesMax: 4_000 } });
    expect(recorder.exchanges[0].request.body).toMatchObject({ bytes: 9_000, tooLarge: true, wire: null });
    expect(assembler.counters.bodiesCrowdedOut).toBe(1);
    expect(assembler.keptBytes.peak).toBeLessThanOrEqual(4_000);
    expect(assembler.keptBytes.now).toBe(0);
  });

  it('requests without an answer are held up to a number, then the oldest is unanswered', () => {
    const { events, assembler } = playInto([{ client: GET.repeat(5) }, { server: OK }], { limits: { pendingMax: 3 } });
    expect(events.slice(0, 5)).toEqual([
      'request 0 GET /a none 0 complete',
      'request 1 GET /a none 0 complete',
      'request 2 GET /a none 0 complete',
      'unanswered 0',
      'request 3 GET /a none 0 complete',
    ]);
    expect(assembler.counters.pendingEvicted).toBe(2);
  });

  it('many small pieces of a body are kept in few buffers', () => {
    const steps: Step[] = [{ client: 'POST /p HTTP/1.1\r\nContent-Length: 5000\r\n\r\n' }];
    for (let count = 0; count < 5_000; count++) steps.push({ client: 'y' });
    expect(playInto(steps).recorder.exchanges[0].request.body.wire?.length).toBeLessThan(5);
  });
});
