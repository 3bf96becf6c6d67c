import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Engine } from '../src/engine/engine.ts';
import { type LedgerReport, total } from '../src/ledger/report.ts';
import type { RecordedExchange } from '../src/recording/recorded-exchange.ts';
import { openRecording } from '../src/recording/recording.ts';
import { RecordingWriter } from '../src/recording/recording-writer.ts';
import { pcapFile } from './support/capture-files.ts';
import { runCliHere } from './support/cli-here.ts';
import { conversation, type ConversationPacket } from './support/conversation.ts';
import { type Finished, type RecordingTarget, recordingTarget, runCli, stopAll } from './support/mirror.ts';
import { freePort } from './support/proxies.ts';
import { recorded as recordedExchange } from './support/recorded-traffic.ts';
import { replayConfigOf, replayHere } from './support/replay-here.ts';
import { exchanges, get, ok, post, requestLine, requestLines } from './support/requests.ts';
import { configFile } from './support/config-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-replay-'));
afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function fileWith(bytes: Buffer | string, ending = ''): string {
  const file = join(folder, `${files++}${ending}`);
  writeFileSync(file, bytes);
  return file;
}

const startUs = 1_790_000_000_000_000;

/** A capture of one connection for each list; `atMs` is when its first packet comes. */
function capture(...connections: { client: string; atMs?: number; stepMs?: number; requests: (string | Buffer)[] }[]): string {
  const packets = connections.flatMap(({ client, atMs = 0, stepMs = 0.01, requests }) =>
    exchanges(client, requests, { startUs: startUs + atMs * 1_000, stepUs: stepMs * 1_000 }),
  );
  return fileWith(pcapFile(packets.toSorted((a, b) => a.timeUs - b.timeUs)), '.pcap');
}

interface Replayed extends Finished {
  ledger: LedgerReport;
}

async function replay(...args: string[]): Promise<Replayed> {
  const ledger = join(folder, `${files++}.json`);
  const finished = await runCli(['replay', ...args, '--ledger', ledger]);
  if (finished.code === 2) throw new Error(finished.stderr);
  return { ...finished, ledger: JSON.parse(readFileSync(ledger, 'utf8')) as LedgerReport };
}

function many(count: number, perConnection: number): ConversationPacket[] {
  return Array.from({ length: count / perConnection }, (_connection, connection) =>
    exchanges(
      `10.1.${connection >> 8}.${connection & 255}:4000`,
      Array.from({ length: perConnection }, (_request, index) => get(`/${connection * perConnection + index}`)),
      { startUs: startUs + connection * 100, stepUs: 10 },
    ),
  ).flat();
}

/** Requests of one connection arrive in its order, though those of several are mixed. */
function inOrderOf(requests: RecordingTarget['requests'], perConnection: number): boolean {
  const last = new Map<number, number>();
  return requests.every((request) => {
    const number = Number(requestLine(request).slice('GET /'.length));
    const connection = Math.floor(number / perConnection);
    const before = last.get(connection) ?? -1;
    last.set(connection, number);
    return number > before;
  });
}

test('all 29,940 requests of a capture arrive, in the order of their connections, and the process ends', async () => {
  const target = await recordingTarget();
  const { code, ledger } = await replay(fileWith(pcapFile(many(29_940, 30)), '.pcap'), '--target', target.url, '--speed', 'max');
  expect(code).toBe(0);
  expect(new Set(requestLines(target)).size).toBe(29_940);
  expect(target.requests).toHaveLength(29_940);
  expect(inOrderOf(target.requests, 30)).toBe(true);
  expect(ledger.outcomes['replayed']).toBe(29_940);
}, 60_000);

describe('what is replayed', () => {
  const requests = [get('/a?b=%20c', 'X-Odd:  a b \r\n'), post('/b', 'body\r\n\r\n'), `POST /c HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n0\r\nT: u\r\n\r\n`];

  /** What a target got, without what names the replay itself. */
  const bytesAt = (target: RecordingTarget): string[] =>
    target.requests.map(({ bytes }) => bytes.toString('latin1').replace(/^(?:X-Doubletake-[A-Za-z-]+|X-Forwarded-[A-Za-z]+|Host): .*\r\n/gm, ''));

  test.each(['recording', 'gor', 'gor.gz'])('a capture gives a target the same bytes by way of a %s', async (kind) => {
    const file = capture({ client: '10.0.2.5:41000', requests });
    const direct = await recordingTarget();
    await replayHere(file, '--target', direct.url, '--methods', 'all');
    const out = join(folder, `${files++}${kind === 'recording' ? '' : `.${kind}`}`);
    expect(await runCli(['convert', file, out, '--quiet'])).toMatchObject({ code: 0, stderr: '' });
    const converted = await recordingTarget();
    const { ledger } = await replayHere(out, '--target', converted.url, '--methods', 'all');
    expect(bytesAt(direct)).toHaveLength(3);
    expect(bytesAt(converted).toSorted()).toEqual(bytesAt(direct).toSorted());
    expect(ledger.production.responses).toMatchObject({ '2xx': 3 });
  });

  test('several files are replayed as one, by time; a folder is all of its files', async () => {
    const target = await recordingTarget();
    const inside = join(folder, `folder${files++}`);
    mkdirSync(inside);
    const one = [conversation({ client: '10.0.2.5:1', startUs }, [{ client: get('/1') }, { server: ok }]), conversation({ client: '10.0.2.5:2', startUs: startUs + 40_000 }, [{ client: get('/3') }, { server: ok }])];
    writeFileSync(join(inside, 'one.pcap'), pcapFile(one.flat()));
    const us = String((startUs + 20_000) * 1_000);
    writeFileSync(join(inside, 'two.gor'), `1 aa ${us}\n${get('/2')}\n🐵🙈🙉\n`);
    const last = capture({ client: '10.0.2.6:4', atMs: 60, requests: [get('/4')] });
    // One at a time: those of several connections could overtake each other on their way.
    await replayHere(inside, last, '--config', configFile({ targets: [{ name: 'target', url: target.url, limits: { inFlight: 1 } }] }));
    expect(requestLines(target)).toEqual(['GET /1', 'GET /2', 'GET /3', 'GET /4']);
  });

  test('standard input, HAR and access logs', async () => {
    const target = await recordingTarget();
    const log = fileWith('10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /log HTTP/1.1" 200 1 "-" "-"\n');
    await replayHere(log, '--target', target.url);
    const har = join(folder, `${files++}.har`);
    await runCli(['convert', capture({ client: '10.0.2.5:1', requests: [get('/har')] }), har]);
    await replayHere(har, '--target', target.url);
    const { code } = await runCli(['replay', '-', '--target', target.url], readFileSync(capture({ client: '10.0.2.5:1', requests: [get('/stdin')] })));
    expect(code).toBe(0);
    expect(requestLines(target)).toEqual(['GET /log', 'GET /har', 'GET /stdin']);
  });

  test('what cannot be used of a file is told with its place and counted, and the rest is replayed', async () => {
    const target = await recordingTarget();
    const file = fileWith(`1 aa 1000000000\n${get('/1')}\n🐵🙈🙉\nnonsense\n🐵🙈🙉\n1 bb 1000000000\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nshort\n🐵🙈🙉\n1 cc 1000000000\n${get('/2')}\n🐵🙈🙉\n`);
    const { warnings, ledger } = await replayHere(file, '--target', target.url, '--methods', 'all');
    expect(warnings).toEqual([`${file}: line 7: payload has no line that says what it is`]);
    expect(requestLines(target).toSorted()).toEqual(['GET /1', 'GET /2']);
    expect(ledger).toMatchObject({ captured: 3, outcomes: { replayed: 2, incomplete: { closed: 1 } }, files: { malformed: 1, skipped: 0 } });
  });

  test('requests whose framing is ambiguous are not replayed from files either', async () => {
    const target = await recordingTarget();
    const smuggled = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const { ledger } = await replayHere(fileWith(`1 aa 1000000000\n${smuggled}\n🐵🙈🙉\n1 bb 1000000000\n${get('/ok')}\n🐵🙈🙉\n`), '--target', target.url, '--methods', 'all');
    expect(requestLines(target)).toEqual(['GET /ok']);
    expect(ledger.outcomes).toMatchObject({ replayed: 1, blocked: { ambiguous_framing: 1 } });
  });
});

describe('which of it', () => {
  // Three packets of a handshake, then a request with every fourth: one a second.
  const file = (): string => capture({ client: '10.0.2.5:1', stepMs: 250, requests: [get('/a'), get('/b'), get('/c'), get('/d')] });

  test.each<[string, string[], string[]]>([
    ['behind the first', ['--from', '500ms', '--to', '2400ms'], ['GET /b', 'GET /c']],
    ['by the clock', ['--from', new Date(startUs / 1_000 + 2_000).toISOString()], ['GET /c', 'GET /d']],
    ['by a filter', ['--filter', '{path: [/a, /c, /d]}', '--filter', '{"not": {"path": "/c"}}'], ['GET /a', 'GET /d']],
    ['by method', ['--methods', 'POST'], []],
  ])('%s', async (_name, flags, lines) => {
    const target = await recordingTarget();
    await replayHere(file(), '--target', target.url, '--speed', 'max', ...flags);
    expect(requestLines(target)).toEqual(lines);
  });

  test('what --filter leaves out is counted under its name', async () => {
    const target = await recordingTarget();
    const { ledger } = await replayHere(file(), '--target', target.url, '--speed', 'max', '--filter', '{path: /a}');
    expect(ledger.outcomes).toMatchObject({ replayed: 1, filtered: { 'outside --filter': 3 } });
  });
});

describe('how fast', () => {
  const paths = (count: number): string[] => Array.from({ length: count }, (_, index) => get(`/${index}`));
  const hours = 3_600_000;

  test('as recorded, unless told otherwise; the lag is in the ledger', async () => {
    const target = await recordingTarget();
    const { ledger } = await replayHere(capture({ client: '10.0.2.5:1', stepMs: 5, requests: paths(4) }), '--target', target.url);
    expect(ledger.targets['target']?.lagMs.p50).toEqual(expect.any(Number));
  });

  test('as fast as the target answers, without any schedule', async () => {
    const target = await recordingTarget();
    const { ledger } = await replayHere(capture({ client: '10.0.2.5:1', stepMs: hours / 8, requests: paths(4) }), '--target', target.url, '--speed', 'max');
    expect(ledger.targets['target']?.lagMs).toEqual({ p50: null, p99: null, max: null });
  });

  test('at a rate, whatever the timing of the recording, keeping the mix', async () => {
    const target = await recordingTarget();
    const { ledger } = await replayHere(capture({ client: '10.0.2.5:1', stepMs: hours / 8, requests: paths(11) }), '--target', target.url, '--rate', '500');
    expect(requestLines(target)).toEqual(Array.from({ length: 11 }, (_, index) => `GET /${index}`));
    expect(ledger.targets['target']?.lagMs.p50).toEqual(expect.any(Number));
  });

  test('a target that is slower than the schedule gets everything late, and the ledger says how late', async () => {
    const target = await recordingTarget((socket) => setTimeout(() => socket.write(ok), 50));
    const { ledger } = await replayHere(capture({ client: '10.0.2.5:1', stepMs: 0.1, requests: paths(6) }), '--target', target.url);
    expect(ledger.outcomes['replayed']).toBe(6);
    expect(ledger.targets['target']?.lagMs.max).toBeGreaterThan(200);
  });

  test('again and again, with the order of each session kept', async () => {
    const target = await recordingTarget();
    const { ledger } = await replayHere(capture({ client: '10.0.2.5:1', requests: paths(3) }), '--target', target.url, '--loop', '4', '--speed', 'max');
    expect(requestLines(target)).toHaveLength(12);
    expect(ledger.outcomes['replayed']).toBe(12);
    expect(Object.groupBy(requestLines(target), (line) => line)['GET /1']).toHaveLength(4);
  });

  test('several times at once, as sessions of their own', async () => {
    const target = await recordingTarget();
    const { ledger } = await replayHere(capture({ client: '10.0.2.5:1', requests: paths(3) }), '--target', target.url, '--multiply', '3', '--speed', 'max');
    expect(target.requests).toHaveLength(9);
    expect(new Set(target.requests.map(({ head }) => /X-Doubletake-Id: (.*)/.exec(head)?.[1])).size).toBe(9);
    expect(ledger.targets['target']?.outcomes['replayed']).toBe(9);
  });
});

describe('with several workers', () => {
  test('each request of each loop is replayed once, in the order of its connection', async () => {
    const target = await recordingTarget();
    const broken = fileWith('1 aa 1000000000\nnonsense\n🐵🙈🙉\n');
    const { stderr, ledger } = await replay(fileWith(pcapFile(many(1_200, 30)), '.pcap'), broken, '--target', target.url, '--speed', 'max', '--workers', '3', '--loop', '2');
    expect(stderr).not.toContain('cannot be shared');
    const times = Object.values(Object.groupBy(target.requests, (request) => requestLine(request)));
    expect(times.map((same) => same?.length)).toEqual(Array.from({ length: 1_200 }, () => 2));
    const firsts = new Set(times.map((same) => same?.[0]));
    expect(inOrderOf(target.requests.filter((request) => firsts.has(request)), 30)).toBe(true);
    expect(inOrderOf(target.requests.filter((request) => !firsts.has(request)), 30)).toBe(true);
    const workers = new Set(target.requests.map(({ head }) => /X-Doubletake-Id: \w+-(\w+)-/.exec(head)?.[1]));
    expect(workers).toEqual(new Set(['0', '1', '2']));
    expect(ledger).toMatchObject({ captured: 2_400, outcomes: { replayed: 2_400 }, files: { malformed: 2 } });
    expect(ledger.files.done).toBe(ledger.files.total);
  });

  test('what has a pace is replayed by one', async () => {
    const target = await recordingTarget();
    const { stderr, ledger } = await replay(capture({ client: '10.0.2.5:1', requests: [get('/1')] }), '--target', target.url, '--workers', '2');
    expect(stderr).toContain('cannot be shared');
    expect(ledger.outcomes['replayed']).toBe(1);
  });
});

test('a target that does not come back is given up after a while, and each request is counted', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const breaker = { requestsMin: 5, openFor: '50ms', openForMax: '100ms', filesWait: '300ms' };
  const requests = Array.from({ length: 400 }, (_, index) => get(`/${index}`));
  const { ledger, warnings } = await replayHere(
    capture({ client: '10.0.2.5:1', requests }), '--speed', 'max', '--config', configFile({ targets: [{ name: 'a', url, breaker }] }),
  );
  const { failed = 0, dropped = 0 } = ledger.outcomes;
  expect({ captured: ledger.captured, ended: total(failed) + total(dropped) }).toEqual({ captured: 400, ended: 400 });
  expect(failed).toMatchObject({ connect: total(failed) });
  expect(dropped).toMatchObject({ circuit_open: total(dropped) });
  expect(total(dropped)).toBeGreaterThan(0);
  expect(warnings.join('\n')).toContain('target a has been away for 0.3 s');
});

test('a reload that would set a pace for several workers is refused, and all stays as it was', async () => {
  const target = await recordingTarget();
  const args = [capture({ client: '10.0.2.5:1', requests: [get('/1')] }), '--target', target.url, '--loop', '--workers', '2'];
  const ignore = (): void => {};
  const engine = new Engine(await replayConfigOf(...args, '--speed', 'max'), { warning: ignore, notice: ignore, exhausted: ignore, failed: ignore, degraded: ignore, ramped: ignore });
  await engine.start();
  try {
    await expect(engine.reload(await replayConfigOf(...args, '--rate', '5'))).rejects.toMatchObject({ code: 'DT_RELOAD' });
    expect(engine.config.targets[0]).not.toHaveProperty('rate');
  } finally {
    await engine.stop(0);
  }
});

test('what is a sample already is recorded with the probability of both', async () => {
  const target = await recordingTarget();
  const [before, after] = [join(folder, `${files++}`), join(folder, `${files++}`)];
  const writer = new RecordingWriter({ directory: before });
  for (let index = 0; index < 40; index++) {
    writer.append({ ...recordedExchange({ request: get(`/${index}`), response: ok, atUs: index, index }), probability: 0.1 });
  }
  writer.close();
  await replay(before, '--target', target.url, '--speed', 'max', '--percentage', '50', '--percentage-by', 'request', '--record', after);
  const again: RecordedExchange[] = [];
  for await (const exchange of await openRecording([after])) again.push(exchange);
  const lines = again.map(({ request }) => request.head.toString('latin1').split(' HTTP')[0]);
  expect(lines).toEqual(requestLines(target));
  expect(lines).toEqual(again.map(({ index }) => `GET /${index}`));
  expect(again.map(({ probability }) => probability)).toEqual(again.map(() => 0.05));
  expect(again.length).toBeGreaterThan(0);
});

describe('with a comparison', () => {
  const json = (value: unknown): string => {
    const text = JSON.stringify(value);
    return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  };
  const recorded = (count: number): string => {
    const packets = Array.from({ length: count }, (_, index) =>
      conversation({ client: `10.0.3.${index}:4000`, startUs: startUs + index * 1_000 }, [{ client: get(`/users/${index}`) }, { server: json({ id: index }) }]),
    );
    return fileWith(pcapFile(packets.flat()), '.pcap');
  };

  test.each<[string, number, (id: number) => unknown]>([
    ['a regression', 1, (id) => ({ id: String(id) })],
    ['too little to say', 3, (id) => ({ id })],
  ])('the exit code is that of the verdict: %s', async (_name, code, answer) => {
    const target = await recordingTarget((socket, { head }) => {
      socket.write(json(answer(Number(head.split(' ')[1]?.split('/').at(-1)))));
    });
    const finished = await replay(recorded(code === 3 ? 1 : 200), '--target', target.url, '--run', join(folder, `${files++}.run`));
    expect(finished.code).toBe(code);
    expect(finished.ledger.comparison?.verdict).toBe(code === 1 ? 'REGRESSION' : 'INSUFFICIENT');
  });
});

test.each<[string, () => string[], string]>([
  ['no such file', () => ['/nowhere/x.pcap'], '/nowhere/x.pcap: cannot be read: there is no such file [DT_TRAFFIC_UNREADABLE]'],
  ['a speed that is none', () => ['x.pcap', '--speed', '0'], '--speed 0: expected a number from 0.1 to 100, or max'],
])('%s is one clear line and exit code 2', async (_name, args, text) => {
  const target = await recordingTarget();
  const { code, stderr } = await runCliHere(['replay', ...args(), '--target', target.url]);
  expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({ code: 2, lines: [expect.stringContaining(text)] });
});

test('a configuration file says what flags do not; its sources are not used', async () => {
  const target = await recordingTarget();
  const file = configFile({ sources: [{ vxlan: {} }], policy: { methods: 'all' }, targets: [{ name: 'a', url: target.url, rate: 1_000 }] });
  const { ledger } = await replay(capture({ client: '10.0.2.5:1', stepMs: 60_000, requests: [get('/1'), post('/2', 'x')] }), '--config', file);
  expect(requestLines(target)).toEqual(['GET /1', 'POST /2']);
  expect(Object.keys(ledger.targets)).toEqual(['a']);
});

describe('convert', () => {
  test.each<[string, string[], string]>([
    ['an ending that says nothing', ['a', 'b.txt'], 'say with --as'],
    ['one file', ['a'], 'give what to read and what to write'],
    ['a recording to standard output', ['a', '-', '--as', 'recording'], 'a recording is a folder'],
    ['a file that cannot be written', [capture({ client: '10.0.2.5:1', requests: [get('/')] }), '/nowhere/x.gor'], '[DT_TRAFFIC_WRITE]'],
  ])('%s is one clear line and exit code 2', async (_name, args, text) => {
    const { code, stderr } = await runCliHere(['convert', ...args]);
    expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({ code: 2, lines: [expect.stringContaining(text)] });
  });

  test('to standard output, with the rest of the capture told on standard error', async () => {
    const { code, stdout, stderr } = await runCli(['convert', capture({ client: '10.0.2.5:1', requests: [get('/x')] }), '-', '--as', 'curl']);
    expect(code).toBe(0);
    expect(stdout).toContain(`"$target"'/x'`);
    expect(stderr).toBe('doubletake: 1 requests written, 0 left out\n');
  });
});
