import fc from 'fast-check';
import { expect, it } from 'vitest';
import { playInto, type Step } from '../../test/support/http-script.ts';

/** Whole messages, pieces of them, and what is none: each leaves a parser in another state. */
const said = fc.constantFrom(
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nab',
  'POST /c HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
  'POST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab',
  'POST /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'POST /f HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
  'CONNECT h:1 HTTP/1.1\r\n\r\n',
  'GET /g',
  'GET /h\r\n',
  'PRI * HTTP/2.0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 2',
  '\x16\x03\x01\x00\x05hello',
  'no HTTP at all\n',
  '\0',
);
const lost = fc.integer({ min: 1, max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: said.map((client) => ({ client })) },
  { weight: 4, arbitrary: said.map((server) => ({ server })) },
  lost.map((clientGap) => ({ clientGap })),
  lost.map((serverGap) => ({ serverGap })),
  lost.map((late) => ({ late })),
  fc.constantFrom('client' as const, 'server' as const).map((end) => ({ end })),
);
const conversation = fc.record({
  steps: fc.array(step, { maxLength: 8 }),
  syn: fc.boolean(),
  close: fc.constantFrom('fin' as const, 'reset' as const, 'flushed' as const),
});

it('whatever was said on a connection before, a conversation that is used again reads the next one as a new one does', () => {
  fc.assert(
    fc.property(conversation, conversation, (before, next) => {
      const behind = playInto(before.steps, before);
      expect(playInto(next.steps, { ...next, behind }).events).toEqual(playInto(next.steps, next).events);
      expect(behind.assembler.keptBytes.now).toBe(0);
    }),
    { numRuns: 1_000 },
  );
});
