/** Recording as users meet it: `mirror --record`, with and without a target, then `inspect` of the folder. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openRecording } from '../src/recording/recording.ts';
import type { RecordedExchange } from '../src/recording/recorded-exchange.ts';
import { openDatabase } from '../src/store/database.ts';
import { exchangeColumns } from '../src/store/exchange-parquet.ts';
import { type CapturePacket, pcapFile } from './support/capture-files.ts';
import { runCliHere } from './support/cli-here.ts';
import { configFile, freePath } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { eventually, recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

function shop(client: number, count: number): CapturePacket[] {
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

  test('goes on mirroring when the folder is taken away, says so, and records again when it is back', async () => {
    const target = await recordingTarget();
    const directory = freePath('.recording');
    const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url, '--record', directory]);
    await mirror.send(shop(1, 2));
    await mirror.ledgerWhen('two are recorded', ({ recording }) => recording?.exchanges === 2);
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'in the way');
    await mirror.send(shop(2, 3));
    await mirror.ledgerWhen('three have failed', ({ recording }) => recording?.failed === 3);
    await target.received(5);
    await eventually('a warning', () => (mirror.stderr().includes('cannot record to') ? true : null));
    rmSync(directory);
    let client = 3;
    await mirror.ledgerWhen('one is recorded again', ({ recording }) => {
      void mirror.send(shop(client++, 1));
      return (recording?.exchanges ?? 0) > 2;
    });
    const { code, ledger, stderr } = await mirror.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(/recording goes on in .*; \d+ exchanges were not recorded/);
    expect(ledger.captured).toBe((ledger.recording?.exchanges ?? 0) + (ledger.recording?.failed ?? 0));
    // The two that were removed with the folder are gone.
    expect(await recorded(directory)).toHaveLength((ledger.recording?.exchanges ?? 0) - 2);
  });

  test('a folder that cannot be written to is told before anything starts', async () => {
    const file = freePath('.file');
    writeFileSync(file, '');
    const { code, stderr } = await runCli(['mirror', '--vxlan', '127.0.0.1:0', '--record', file]);
    expect(code).toBe(2);
    expect(stderr).toContain('[DT_RECORDING_WRITE]');
  });

  test.each([
    ['neither a target nor a recording', {}, 'no target'],
    ['a run without a target', { run: 'x', record: { directory: 'y' } }, 'could be compared'],
    ['a key that could be guessed', { record: { directory: 'y', key: 'short' } }, 'at least 16 characters'],
    ['a key and its file', { record: { directory: 'y', key: 'k'.repeat(16), keyFile: 'z' } }, 'not both'],
    ['an age without a unit', { record: { directory: 'y', retain: { age: '7' } } }, 'expected an age'],
  ])('%s is refused', async (_name, more, text) => {
    const { code, stderr } = await runCli(['mirror', configFile({ sources: [{ vxlan: { listen: '127.0.0.1:0' } }], ...more })]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });
});

describe('inspect of a recording', () => {
  const capture = freePath('.pcap');
  const directory = freePath('.recording');

  beforeAll(async () => {
    writeFileSync(capture, pcapFile([...shop(1, 20), ...shop(2, 20)]));
    await runCli(['mirror', '--pcap', capture, '--record', directory, '--quiet']);
  });

  test('lists what inspect of the capture lists', async () => {
    const [before, after] = await Promise.all([runCli(['inspect', capture, '--json']), runCli(['inspect', directory, '--json'])]);
    const lines = (text: string): string[] => text.trim().split('\n');
    expect(lines(after.stdout)).toHaveLength(40);
    expect(lines(after.stdout).toSorted()).toEqual(lines(before.stdout).toSorted());
    expect(after.stderr).toBe('');
  });

  test('takes a part by time, connection and port, and counts', async () => {
    const listed = async (...flags: string[]): Promise<Record<string, unknown>> =>
      JSON.parse((await runCliHere(['inspect', directory, '--summary', '--json', ...flags])).stdout) as Record<string, unknown>;
    const all = await listed();
    expect(all).toMatchObject({ segments: 1, connections: 2, requests: 40, responses: 40, unpaired: { requests: 0 } });
    expect(await listed('--connection', '10.0.0.2:4000>10.0.1.2:80')).toMatchObject({ connections: 1, requests: 20 });
    expect(await listed('--port', '81')).toMatchObject({ requests: 0, first: null });
    const last = String(all['last']);
    expect(Number((await listed('--from', last))['requests'])).toBeLessThan(40);
    expect(Number((await listed('--to', last))['requests']) + Number((await listed('--from', last))['requests'])).toBe(40);
  });

  test('writes a Parquet file with a row for each exchange', async () => {
    const file = freePath('.parquet');
    const { code, stderr } = await runCliHere(['inspect', directory, '--parquet', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const database = await openDatabase(':memory:', 'READ_WRITE');
    const rows = await database.connection.runAndReadAll(
      `SELECT count(*)::INTEGER, min(status), count(DISTINCT connection)::INTEGER, max(decode(response_body)->>'owner'), max(request_headers->>'$[0][1]')
       FROM '${file}' WHERE method = 'GET'`,
    );
    expect(rows.getRowsJS()).toEqual([[40, 200, 2, 'ann@example.com', 'shop.example']]);
    database.close();
  });

  test('every column of the Parquet file is documented', () => {
    const page = readFileSync(new URL('../../../docs/recording.md', import.meta.url), 'utf8');
    const columns = Array.from(exchangeColumns.matchAll(/(\w+) [A-Z]+/g), ([, name = '']) => name);
    expect(columns.length).toBeGreaterThan(20);
    expect(columns.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test('a flag for recordings with a capture file, and a folder without a recording, are told', async () => {
    expect(await runCliHere(['inspect', capture, '--parquet', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--parquet: goes with recordings') });
    const empty = freePath('.empty');
    mkdirSync(empty);
    expect(await runCliHere(['inspect', empty])).toMatchObject({ code: 2, stderr: expect.stringContaining('[DT_RECORDING_NOT_FOUND]') });
  });
});
