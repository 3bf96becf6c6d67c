import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { sanitizeSchema } from '../config/sanitize-schema.ts';
import type { Exchange, Message } from '../http/exchange.ts';
import { headOf } from '../policy/message-edit.ts';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { RecordBlock } from '../recording/record-block.ts';
import { RecordDecoder } from '../recording/record-codec.ts';
import type { RecordedExchange } from '../recording/recorded-exchange.ts';
import { Connection } from '../tcp/connection.ts';
import { ExchangeRecorder } from './exchange-recorder.ts';
import { ledgerLayout } from './ledger-layout.ts';
import { RecordSender } from './record-sender.ts';

const opened: MessagePort[] = [];

afterEach(() => opened.splice(0).forEach((port) => port.close()));

/** A recorder, and the end of its way to the recording thread. */
function start(): { recorder: ExchangeRecorder; sender: RecordSender; end: MessagePort; counts: () => object } {
  const { port1, port2 } = new MessageChannel();
  opened.push(port1, port2);
  const layout = ledgerLayout({ sources: [], targets: [], filters: [], records: true });
  const row = layout.createRow();
  const sender = new RecordSender(port1, layout, row);
  const counts = (): object => Object.fromEntries([...layout.slotsUnder('recording')].map(([name, slot]) => [name, row[slot]]));
  return { recorder: new ExchangeRecorder(sender, 'test'), sender, end: port2, counts };
}

const addresses = Int32Array.of(0, 0, 0xffff, 0x0a00_0001, 0, 0, 0xffff, 0x0a00_0002);
const connection = new Connection<unknown>(1, 0, 0, addresses, [4_000, 80], 0);

function message(kind: 'request' | 'response', text: string, content: Buffer): Message {
  const found = headOf(kind, Buffer.from(text));
  if (found === null) throw new Error(`no head: ${text}`);
  const body = { framing: 'length' as const, bytes: content.length, sha256: null, wire: [content], wireBytes: content.length, tooLarge: false };
  return { head: found.head, body, startUs: 1, endUs: 2, startSequence: 0, endSequence: 0, outcome: 'complete', ambiguity: null };
}

function exchange(response: Message | null, requestBytes = 0): Exchange {
  return { connection, client: 0, index: 0, request: message('request', 'GET / HTTP/1.1\r\n\r\n', Buffer.alloc(requestBytes)), response, fidelity: 0 };
}

/** The first record of the next block, which is answered as written. */
async function firstRecord(end: MessagePort): Promise<RecordedExchange> {
  const [block] = (await once(end, 'message')) as [RecordBlock];
  const record = new RecordDecoder(Buffer.from(block.bytes)).decode(0);
  end.postMessage({ written: 10, buffer: new ArrayBuffer(0) });
  return record;
}

describe('an answer', () => {
  const sanitizer = new Sanitizer(sanitizeSchema.parse({ key: 'k'.repeat(32) }), Buffer.from('k'.repeat(32)));

  it('whose body cannot be read is recorded as its head, made safe', async () => {
    const { recorder, sender, end, counts } = start();
    const unreadable = message('response', 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: secret\r\nX-Mail: ann@example.com\r\n\r\n', Buffer.from('ann'));
    const seen = exchange(unreadable);
    recorder.begin(seen, seen, sanitizer, 0.5, null);
    recorder.answered(seen);
    const reading = firstRecord(end);
    const closing = sender.close(5_000);
    const { response, probability, connection: recorded } = await reading;
    await closing;
    expect(response).toMatchObject({ body: null, bodyBytes: 3 });
    expect(response?.head.toString()).toContain('Content-Encoding: secret');
    expect(response?.head.toString()).not.toContain('ann@');
    expect(probability).toBe(0.5);
    expect(recorded.label).toBe('10.0.0.1:4000>10.0.0.2:80');
    expect(counts()).toEqual({ exchanges: 1, bytes: 10, dropped: 0, failed: 0 });
  });

  it('that does not come in time for the bound is done without', async () => {
    const { recorder, sender, end } = start();
    const first = exchange(null, 40_000_000);
    const second = exchange(null, 40_000_000);
    recorder.begin(first, first, null, 1, null);
    recorder.begin(second, second, null, 1, null);
    expect(await firstRecord(end)).toMatchObject({ response: null, request: { bodyBytes: 40_000_000 } });
    await sender.close(0);
  });
});

describe('a recording that', () => {
  it('has fallen behind drops and counts, and has no room', () => {
    const { recorder, counts } = start();
    const settled: string[] = [];
    const seen = exchange(null, 1_000_000);
    for (let number = 0; number < 20; number++) {
      recorder.begin(seen, seen, null, 1, (outcome) => settled.push(outcome));
      recorder.answered(seen);
    }
    expect(recorder.room).toBe(false);
    expect(counts()).toMatchObject({ exchanges: 0, dropped: 4 });
    expect(settled).toEqual(Array.from({ length: 4 }, () => 'dropped.not_recorded'));
  });

  it('dies leaves nobody waiting', async () => {
    const { recorder, end, counts } = start();
    const seen = exchange(null, 1_000_000);
    const settled = Promise.withResolvers<string>();
    recorder.begin(seen, seen, null, 1, settled.resolve);
    recorder.answered(seen);
    end.close();
    expect(await settled.promise).toBe('dropped.not_recorded');
    expect(recorder.room).toBe(false);
    await recorder.waitForRoom();
    expect(counts()).toMatchObject({ failed: 1 });
  });
});
