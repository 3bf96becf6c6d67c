/**
 * Planted values are looked for in everything that leaves the process when requests are sanitized: what comes to a target,
 * what is said in logs, ledger and reports, and what is kept in recordings, in what they are turned into, and in the run.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canaryKinds, letters, mark } from './support/canaries.ts';
import { normal, readable, TextSearch } from './support/canary-reader.ts';
import { conversation, type Turn } from './support/conversation.ts';
import { recordingTarget, type RecordingTarget, runCli, type Stopped, startMirror, stopAll } from './support/mirror.ts';
import { asAnswer, caseOf, clientOf, packetsOf, plant, requestsEach, type Sent } from './support/planted-traffic.ts';
import { client, ok } from './support/requests.ts';
import {
  filesOf,
  messagesInGor,
  messagesInHar,
  messagesInParquet,
  messagesInScript,
  readRun,
  recordsOf,
  type StoredRecord,
  type StoredRun,
} from './support/stored-messages.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-leaks-'));

afterAll(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Requests that never go out, or only so far, each with a canary of its own in several places. */
function troubled(n: number): Buffer[] {
  const name = letters(n);
  const mail = `${name}@shop.example`;
  const head = `Host: shop.example\r\nCookie: session=${name}aB3dE6gH9\r\nX-Mail: ${mail}\r\n`;
  return [
    `POST /${mail}?password=${name} HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${mail.length + 9}\r\n\r\n{"mail":"${mail}`,
    `POST /${mail} HTTP/1.1\r\n${head}Content-Type: image/png\r\nContent-Length: ${mail.length}\r\n\r\n${mail}`,
    `POST /${mail} HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Encoding: compress\r\nContent-Length: ${mail.length}\r\n\r\n${mail}`,
    `POST /${mail} HTTP/1.1\r\n${head}Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET /${mail} HTTP/1.1\r\n${head}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    `GET /${mail} HTTP/1.1\r\n${head}X-Doubletake-Id: ${mail}\r\n\r\n`,
    `CONNECT ${name}.example:443 HTTP/1.1\r\n${head}\r\n`,
    `GET /${mail}\u0001 HTTP/1.1\r\n${head}bad ${mail}: x\r\n\r\n`,
    `GET /fail?m=${mail} HTTP/1.1\r\n${head}\r\n`,
    `GET /garbage?m=${mail} HTTP/1.1\r\n${head}\r\n`,
    `POST /cut/${mail} HTTP/1.1\r\n${head}Content-Length: 1000\r\n\r\n${mail}`,
  ].map((request) => Buffer.from(request, 'latin1'));
}

/** Each answer carries a canary that no request carries. */
const productionBase = 100_001;
const candidateBase = 200_002;
const production = (n: number): Sent => plant(productionBase + n);
const candidate = (n: number): Sent => plant(candidateBase + n);

/** Whether this is the first canary of its kind, of those in requests or in answers. */
function isFirst(n: number): boolean {
  const base = n >= candidateBase ? candidateBase : n >= productionBase ? productionBase : 0;
  return n < base + canaryKinds.length;
}

interface Run {
  sent: readonly Sent[];
  target: RecordingTarget;
  stopped: Stopped;
  directory: string;
  run: string;
}

/** A mirror to a target, with a recording and a comparison, that has seen these requests. */
async function mirrored(name: string, count: number, policy: object, troubles: readonly Buffer[] = []): Promise<Run> {
  const sent = Array.from({ length: count }, (_, n) => plant(n));
  const target = await recordingTarget((socket, { head }) => {
    if (head.includes('/fail')) socket.destroy();
    else if (head.includes('/garbage')) socket.write('this is not HTTP\r\n\r\n');
    else socket.write(asAnswer(candidate(caseOf(head))));
  });
  const directory = join(folder, `${name}.recording`);
  const run = join(folder, `${name}.run`);
  const config = join(folder, `${name}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
      policy: { methods: 'all', ...policy },
      targets: [{ name: 'target', url: target.url }],
      record: { directory },
      run,
    }),
  );
  const mirror = await startMirror([config]);
  await mirror.sendPaced(packetsOf(sent, (n) => asAnswer(production(n))));
  for (const [n, request] of troubles.entries()) {
    const turns: Turn[] = [{ client: request }, { server: ok }];
    await mirror.send(conversation({ client: client(50_000 + n) }, turns));
  }
  await mirror.ledgerWhen('all requests ended', ({ captured, inFlight }) => captured === count + troubles.length && inFlight === 0);
  return { sent, target, stopped: await mirror.stop(), directory, run };
}

/** The canaries of a message: its own, by the case that it tells, and whatever has the letters of any. */
function leakIn(message: Buffer): string | null {
  const text = readable(message);
  const n = caseOf(message.toString('latin1'));
  if (n < 0) return text.includes(mark) ? message.toString('latin1') : null;
  const { kind, needles } = plant(n);
  return text.includes(mark) || needles.some((needle) => text.includes(normal(needle))) ? kind : null;
}

function leaksIn(messages: readonly Buffer[]): string[] {
  return [...new Set(messages.flatMap((message) => leakIn(message) ?? []))];
}

async function convertedTo(directory: string, ending: string): Promise<Buffer> {
  const file = `${directory}${ending}`;
  const { code } = await runCli(['convert', directory, file, '--quiet']);
  expect(code).toBe(0);
  return readFileSync(file);
}

async function parquetOf(directory: string): Promise<Buffer[]> {
  const file = `${directory}.parquet`;
  expect(await runCli(['inspect', directory, '--parquet', file])).toMatchObject({ code: 0, stderr: '' });
  return messagesInParquet(file);
}

interface Form {
  read: (directory: string) => Promise<Buffer[]> | Buffer[];
  /** Kinds of canaries that it cannot hold. */
  loses?: RegExp;
}

/** Where the messages of a recording are looked for. */
const forms: Readonly<Record<string, Form>> = {
  'the recording itself': { read: (directory) => recordsOf(directory).records.flatMap(({ messages }) => messages) },
  Parquet: { read: parquetOf, loses: / in (?:trailer|chunk extension)$/ },
  '.gor': { read: async (directory) => messagesInGor(await convertedTo(directory, '.gor')) },
  HAR: { read: async (directory) => messagesInHar(await convertedTo(directory, '.har')), loses: / in (?:trailer|chunk extension)$/ },
  'curl commands': {
    read: async (directory) => messagesInScript(await convertedTo(directory, '.sh')),
    loses: / in (?:trailer|chunk extension|absolute target)$/,
  },
};

describe('every kind of canary would be found, when nothing is sanitized,', () => {
  let all: Run;

  beforeAll(async () => {
    all = await mirrored('control', canaryKinds.length, {});
  }, 60_000);

  const kinds = canaryKinds.map(({ name }) => name);

  function notIn(messages: readonly Buffer[], loses = /^$/): string[] {
    const found = new Set(messages.map(leakIn));
    return kinds.filter((kind) => !found.has(kind) && !loses.test(kind));
  }

  test('at the target', () => {
    expect(notIn(all.target.requests.map(({ bytes }) => bytes))).toEqual([]);
  });

  test.each(Object.entries(forms))('in %s', async (name, { read, loses }) => {
    const messages = await read(all.directory);
    const isAnswer = (message: Buffer): boolean => caseOf(message.toString('latin1')) >= kinds.length;
    expect(notIn(messages.filter((message) => !isAnswer(message)), loses)).toEqual([]);
    if (name !== 'curl commands') expect(notIn(messages.filter(isAnswer), loses)).toEqual([]);
  }, 60_000);

  test('in the run', async () => {
    const { messages, rows } = await readRun(join(all.run, 'run.duckdb'));
    expect(leaksIn(messages).length).toBeGreaterThan(100);
    expect(rows.filter((row) => row.includes(mark)).length).toBeGreaterThan(100);
  });
});

describe('no canary of ten thousand leaves the process under the three presets', () => {
  const count = 10_000;
  const each = 20;
  const troubles = Array.from({ length: each }, (_, n) => troubled(20_000 + n)).flat();
  let all: Run;
  let records: StoredRecord[];
  let hashes: number[];
  let run: StoredRun;
  /** What is long enough to be nobody's pseudonym by chance. */
  let long: TextSearch;

  beforeAll(async () => {
    all = await mirrored('presets', count, { sanitize: { key: 'a key of the tests, long enough' } }, troubles);
    ({ records, hashes } = recordsOf(all.directory));
    run = await readRun(join(all.run, 'run.duckdb'));
    const planted = all.sent.flatMap((sent, n) => [sent, production(n), candidate(n)]);
    long = new TextSearch(planted.flatMap(({ needles }) => needles).map(normal).filter((needle) => needle.length >= 13));
  }, 180_000);

  test('to the target', () => {
    expect(leaksIn(all.target.requests.map(({ bytes }) => bytes))).toEqual([]);
    // None of them was lost or blocked, and of the others each met its trouble.
    const arrived = new Set(all.target.requests.map(({ head }) => caseOf(head)));
    expect(arrived.size).toBe(count + 1);
    expect(all.stopped.ledger.outcomes).toMatchObject({
      replayed: count,
      blocked: { unsanitizable: 3 * each, ambiguous_framing: 2 * each, upgrade: each, loop: each, connect: each },
      failed: { reset: each, protocol: each },
      incomplete: { closed: each },
    });
    expect(all.stopped.code).toBe(0);
  });

  test('in what it says', () => {
    const { stdout, stderr, ledger } = all.stopped;
    const said = normal([stdout, stderr, JSON.stringify(ledger)].join('\n'));
    expect(said).not.toContain(mark);
    expect(long.firstIn(said)).toBeNull();
  });

  test.each(Object.entries(forms))('in %s', async (name, { read }) => {
    const messages = await read(all.directory);
    // Some have targets that curl cannot ask for.
    expect(messages.length).toBeGreaterThan(0.9 * count);
    // What a recording is turned into need not be searched for each of a kind.
    const searched = name === 'the recording itself' ? messages : messages.filter((message) => isFirst(caseOf(message.toString('latin1'))));
    expect(searched.length).toBeGreaterThan(0.9 * canaryKinds.length);
    expect(leaksIn(searched)).toEqual([]);
  }, 60_000);

  test('by whose connections they came', () => {
    const addresses = new Set(Array.from({ length: count }, (_, n) => clientOf(n)));
    const given = records.map(({ bytes }) => [...bytes.subarray(28, 32)].join('.'));
    expect(records.length).toBeGreaterThanOrEqual(count);
    expect(given.filter((address) => addresses.has(address))).toEqual([]);
    const labels = Array.from({ length: count / requestsEach }, (_, connection) => `${client(connection)}>10.0.1.2:80`);
    const known = new Set(hashes);
    expect(known.size).toBeGreaterThan(labels.length - 5);
    expect(labels.filter((label) => known.has(crc32(label)))).toEqual([]);
    const sessions = new Set([...run.pairs.values()].flatMap((told) => told.match(/[\d.]+:\d+>[\d.]+:\d+/g) ?? []));
    expect(sessions.size).toBeGreaterThan(labels.length - 5);
    expect(labels.filter((label) => sessions.has(label))).toEqual([]);
  });

  test('in the run: its examples, and all that it tells of pairs, endpoints and clusters', () => {
    expect(run.messages.length).toBeGreaterThan(300);
    expect(leaksIn(run.messages)).toEqual([]);
    const text = normal(run.rows.join('\n'));
    expect(text).not.toContain(mark);
    expect(long.firstIn(text)).toBeNull();
    const cases = new Map(all.target.requests.map(({ head }) => [/^X-Doubletake-Id: (\S+)/m.exec(head)?.[1] ?? '', caseOf(head)]));
    const leaks = [...run.pairs].filter(([pair, told]) => {
      const n = cases.get(pair) ?? -1;
      const needles = n < 0 ? [] : [plant(n), production(n), candidate(n)].flatMap((planted) => planted.needles);
      const said = normal(told);
      return needles.some((needle) => said.includes(normal(needle)));
    });
    expect(run.pairs.size).toBeGreaterThan(1_000);
    expect(leaks).toEqual([]);
  });

  test('in its reports', async () => {
    const formats = ['terminal', 'html', 'markdown', 'json', 'junit'];
    const reports = await Promise.all(formats.map((format) => runCli(['report', all.run, '--format', format])));
    for (const { stdout } of reports) {
      expect(stdout.length).toBeGreaterThan(1_000);
      expect(normal(stdout)).not.toContain(mark);
      expect(long.firstIn(normal(stdout))).toBeNull();
    }
  });

  test('in files as they are', () => {
    for (const bytes of [...filesOf(all.directory), ...filesOf(all.run)]) {
      expect(bytes.toString('latin1').toLowerCase()).not.toContain(mark);
    }
  });
});
