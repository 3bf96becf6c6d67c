/**
 * From packets to exchanges: whatever the network and the mirror do to the packets of a conversation, what comes out is
 * what was said, or a part of it, and never anything else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversation, type ConversationPacket, type Turn } from '../../test/support/conversation.ts';
import { Recorder } from '../../test/support/http-script.ts';
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Message } from '../http/exchange.ts';
import { canStartStream } from '../http/start.ts';
import { Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import { FlowTable } from '../tcp/flow-table.ts';
import { fileFlowLimits, type FlowLimits } from '../tcp/limits.ts';

/** Text of each whole exchange: request head and body, then response head and body. */
function exchangesIn(packets: readonly ConversationPacket[], limits: Partial<FlowLimits> = {}): string[] {
  const recorder = new Recorder();
  const assembler = new ExchangeAssembler(recorder, { responseBodyBytesMax: 1 << 20 });
  const flows = new FlowTable(assembler, { canStart: canStartStream, ...limits });
  const decoder = new PacketDecoder();
  let timeUs = 0;
  for (const packet of packets) {
    timeUs = Math.max(timeUs, packet.timeUs);
    const { frame } = packet;
    if (decoder.decode(frame, 0, frame.length, frame.length, 1, timeUs) === Decoded.segment) flows.push(decoder.segment);
    flows.tick(timeUs);
  }
  flows.flush(timeUs);
  return recorder.exchanges
    .filter(({ request }) => request.outcome === 'complete')
    .map(({ request, response }) => [text(request), response?.outcome === 'complete' ? text(response) : ''].join(' -> '));
}

function text({ head, body }: Message): string {
  return head.bytes.toString('latin1') + Buffer.concat(body.wire ?? []).toString('latin1');
}

const decoy = 'DELETE /x HTTP/1.1\r\nHost: evil\r\n\r\n';
const body = fc.array(fc.constantFrom('a', '\r\n', '0\r\n\r\n', decoy, 'HTTP/1.1 200 OK\r\n\r\n', '\0\0\0'), { maxLength: 30 });

const turns = fc
  .array(fc.record({ request: body, response: body, chunked: fc.boolean() }), { minLength: 1, maxLength: 5 })
  .map((rounds) =>
    rounds.flatMap(({ request, response, chunked }, index): Turn[] => {
      const sent = request.join('');
      const answer = response.join('');
      const framed = chunked && sent !== '' ? `${sent.length.toString(16)}\r\n${sent}\r\n0\r\n\r\n` : sent;
      const framing = framed === sent ? `Content-Length: ${sent.length}` : 'Transfer-Encoding: chunked';
      return [
        { client: `POST /${index} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${framed}` },
        { server: `HTTP/1.1 200 OK\r\nX-N: ${index}\r\nContent-Length: ${answer.length}\r\n\r\n${answer}` },
      ];
    }),
  );

const setting = fc.record({
  turns,
  mss: fc.integer({ min: 12, max: 300 }),
  acks: fc.boolean(),
  clientInitialSequence: fc.constantFrom(1000, 2 ** 32 - 50),
  serverInitialSequence: fc.constantFrom(5000, 2 ** 32 - 20),
});

/** All packets, and what they say when they come as they were sent. */
const spoken = setting.map(({ turns: said, ...options }) => {
  const packets = conversation({ ...options, stepUs: 100 }, said);
  return { packets, whole: exchangesIn(packets), rounds: said.length / 2 };
});

/** A disorder: a number for each packet; equal ones keep their order. */
const disorder = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));

const loss = fc.double({ min: 0, max: 0.6, noNaN: true });
const limits = fc.constantFrom<Partial<FlowLimits>>({}, fileFlowLimits, { holeProofUs: 0, holeGraceUs: 0 });

describe('a conversation in packets', () => {
  test('says the same in any order behind its handshake, with any of its packets repeated', () => {
    fc.assert(
      fc.property(spoken, disorder, disorder, ({ packets, whole, rounds }, order, repeats) => {
        expect(whole).toHaveLength(rounds);
        const handshake = packets.slice(0, 3);
        const repeated = packets.slice(3).flatMap((packet) => (repeats.next().value < 0.2 ? [packet, packet] : [packet]));
        const shuffled = repeated
          .map((packet) => ({ packet, at: order.next().value }))
          .toSorted((one, other) => one.at - other.at)
          .map(({ packet }) => packet);
        expect(exchangesIn([...handshake, ...shuffled], fileFlowLimits)).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  test('with any packets behind its SYN lost, says nothing that was not said', () => {
    fc.assert(
      fc.property(spoken, disorder, loss, limits, ({ packets, whole }, fate, share, bounds) => {
        const seen = packets.filter((_, index) => index === 0 || fate.next().value >= share);
        // A piece of a body that is a whole request and nothing else is the one thing that cannot be told apart when all
        // before it was lost, the exchange before it too.
        fc.pre(seen.every(({ payload }) => payload.toString('latin1') !== decoy));
        const requests = new Map(whole.map((exchange) => exchange.split(' -> ', 2) as [string, string]));
        for (const exchange of exchangesIn(seen, bounds)) {
          const [request = '', response = ''] = exchange.split(' -> ', 2);
          expect(requests.has(request)).toBe(true);
          if (response !== '') expect(response).toBe(requests.get(request));
        }
      }),
      { numRuns: 300 },
    );
  });
});
