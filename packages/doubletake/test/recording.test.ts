/** Recording as users meet it: `mirror --record`, with and without a target, then `inspect` of the folder. */
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { openRecording } from '../src/recording/recording.ts';
import type { RecordedExchange } from '../src/recording/recorded-exchange.ts';
import { configFile, freePath } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

function shop(client: number, count: number): { frame: Buffer }[] {
  const turns = Array.from({ length: count }, (_, index) => [
    { client: `GET /items/${index}?email=ann%40example.com HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer secret-${index}\r\n\r\n` },
    { server: json({ index, owner: 'ann@example.com', items: [1, 2, 3] }) },
  ]);
  return conversation({ client: `10.0.0.${client}:4000` }, turns.flat());
}

function json(body: unknown): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

async function recorded(directory: string, key: string | null = null): Promise<RecordedExchange[]> {
  const recording = await openRecording([directory], { key });
  const exchanges: RecordedExchange[] = [];
  for await (const each of recording) exchanges.push(each);
  expect(recording.warnings).toEqual([]);
  return exchanges;
}

describe('mirror --record', () => {
  test('records requests and responses as they were on the wire, without a target, and says that nothing is sanitized', async () => {
    const directory = freePath('.recording');
    const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--record', directory]);
    await mirror.send(shop(1, 3));
    await mirror.ledgerWhen('three are recorded', ({ recording }) => recording?.exchanges === 3);
    const { ledger, code, stderr } = await mirror.stop();
    expect(code).toBe(0);
    expect(stderr).toContain('nothing is sanitized');
    expect(ledger).toMatchObject({ captured: 3, outcomes: { recorded: 3 }, inFlight: 0, recording: { exchanges: 3, dropped: 0, failed: 0 } });
    const exchanges = await recorded(directory);
    expect(exchanges.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(exchanges[1]?.request.head.toString()).toBe('GET /items/1?email=ann%40example.com HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer secret-1\r\n\r\n');
    expect(exchanges[1]?.response?.body?.toString()).toBe('{"index":1,"owner":"ann@example.com","items":[1,2,3]}');
    expect(exchanges[0]?.connection).toMatchObject({ label: '10.0.0.1:4000>10.0.1.2:80', client: { address: '10.0.0.1', port: 4000 } });
  });

  test('what is recorded is sanitized, beside a target and encrypted', async () => {
    const target = await recordingTarget();
    const directory = freePath('.recording');
    const key = 'a key that nobody will guess';
    const file = configFile({
      sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
      policy: { sanitize: { key: 'k'.repeat(32), presets: ['auth', 'pii'] } },
      targets: [{ name: 'candidate', url: target.url }],
      record: { directory, key },
    });
    const mirror = await startMirror([file]);
    await mirror.send(shop(1, 5));
    await target.received(5);
    const { ledger, stderr } = await mirror.stop();
    expect(stderr).not.toContain('nothing is sanitized');
    expect(ledger).toMatchObject({ outcomes: { replayed: 5 }, recording: { exchanges: 5 } });
    await expect(openRecording([directory])).rejects.toMatchObject({ code: 'DT_RECORDING_KEY' });
    const text = (await recorded(directory, key)).map(({ request, response }) => `${request.head.toString()}${response?.head.toString()}${response?.body?.toString()}`).join('');
    expect(text).toContain('/items/4');
    expect(text).not.toMatch(/secret-|ann%40|ann@/);
    expect(readdirSync(directory)).toHaveLength(1);
  });
});
