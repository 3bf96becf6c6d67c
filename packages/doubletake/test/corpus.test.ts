import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { Inspection, type InspectionSummary } from '../src/engine/inspection.ts';
import type { Exchange, Message } from '../src/http/exchange.ts';
import type { Connection } from '../src/tcp/connection.ts';
import { pcapFile } from './support/capture-files.ts';
import { runCliHere } from './support/cli-here.ts';
import { StreamRecord, unpack } from './support/corpus-bodies.ts';
import { type Difference, differences } from './support/corpus-differences.ts';
import { type CorpusCapture, corpusFolder, readCorpus, wrapCapture, wrapCaptureInGeneve } from './support/corpus.ts';
import { runCli } from './support/mirror.ts';

const captures = readCorpus();
const folder = mkdtempSync(join(tmpdir(), 'doubletake-corpus-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

if (captures === null) {
  process.stderr.write(`skipped: the corpus of captures is not at ${corpusFolder} (set DOUBLETAKE_CORPUS)\n`);
}

interface SeenMessage {
  connection: Connection<unknown>;
  message: Message;
}

/** An inspection that also remembers the responses, in order, with those that answer no request that was seen. */
class RecordingInspection extends Inspection {
  readonly exchanges: Exchange[];
  readonly responses: SeenMessage[] = [];

  constructor(mergeTunnels: boolean) {
    const exchanges: Exchange[] = [];
    super({ vnis: null, ports: null, mergeTunnels }, (exchange) => exchanges.push(exchange));
    this.exchanges = exchanges;
  }

  override response(exchange: Exchange): void {
    if (exchange.response !== null) {
      this.responses.push({ connection: exchange.connection, message: exchange.response });
    }
    super.response(exchange);
  }

  override orphanResponse(connection: Connection<unknown>, message: Message): void {
    this.responses.push({ connection, message });
    super.orphanResponse(connection, message);
  }

  get requests(): SeenMessage[] {
    return this.exchanges.map(({ connection, request }) => ({ connection, message: request }));
  }
}

async function inspect(path: string, mergeTunnels = false): Promise<RecordingInspection> {
  const inspection = new RecordingInspection(mergeTunnels);
  await inspection.run(path);
  return inspection;
}

/** What must not depend on how the packets came. */
function essence({ exchanges }: RecordingInspection): string[] {
  return exchanges.map(({ connection, client, index, request, response }) =>
    [connection.label(client), index, ...[request, response].map((message) => message && messageEssence(message))].join(' '),
  );
}

function messageEssence({ head, body, outcome, startUs, endUs }: Message): string {
  return [startUs, endUs, head.bytes.toString('latin1'), outcome, body.framing, body.bytes, body.sha256].join(' ');
}

function countsOf({ packets, connections, requests, responses, incomplete, gaps, other }: InspectionSummary): object {
  return { packets, connections, requests, responses, incomplete, gaps, other };
}

/** Start lines by pair of endpoints: requests and statuses apart, each in order. */
function byConnection(messages: { endpoints: string[]; method: string; target: string; status: number }[], keyed: boolean) {
  const lists = new Map<string, string[]>();
  for (const { endpoints, method, target, status } of messages) {
    if (status > 0 && status < 200 && status !== 101) continue;
    const key = `${method === '' ? 'responses' : 'requests'} ${keyed ? endpoints.toSorted().join(' ') : ''}`;
    const list = lists.get(key) ?? [];
    list.push(method === '' ? String(status) : `${method} ${target}`);
    lists.set(key, list);
  }
  return lists;
}

function ourMessages({ requests, responses }: RecordingInspection) {
  return [...requests, ...responses].map(({ connection, message: { head } }) => ({
    endpoints: [connection.endpoint(0), connection.endpoint(1)],
    method: head.method,
    target: head.target,
    status: head.status,
  }));
}

/** The items of `part` that are not found in `whole` in this order. */
function missingInOrder(part: readonly string[], whole: readonly string[]): string[] {
  let at = 0;
  return part.filter((item) => {
    const found = whole.indexOf(item, at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.skipIf(captures === null)('the corpus of captures', () => {
  test.each(captures ?? [])('$name: messages and bodies', async (capture) => {
    const difference: Partial<Difference> = differences[capture.name] ?? {};
    const mergeTunnels = difference.mergeTunnels ?? false;
    const inspection = await inspect(capture.path, mergeTunnels);
    const summary = inspection.summary();
    expect({ packets: summary.packets, requests: summary.requests, responses: summary.responses }).toEqual({
      packets: capture.packets,
      requests: difference.requests ?? capture.requests,
      responses: difference.responses ?? capture.responses,
    });
    if (difference.messages !== 'unusable') expectMessages(inspection, capture, difference.addresses !== 'outer');
    await expectBodies(inspection, capture, mergeTunnels, difference.foreignBodies ?? 0);
  });

  test.each(captures ?? [])('$name: the same in VXLAN and in GENEVE', async (capture) => {
    const bare = await inspect(capture.path);
    for (const wrap of [wrapCapture, wrapCaptureInGeneve]) {
      const wrapped = join(folder, 'wrapped.pcap');
      // oxlint-disable-next-line no-await-in-loop -- both use the same file
      writeFileSync(wrapped, pcapFile(await wrap(capture.path, 1234)));
      // oxlint-disable-next-line no-await-in-loop -- both use the same file
      const inside = await inspect(wrapped);
      expect(countsOf(inside.summary())).toEqual(countsOf(bare.summary()));
      expect(essence(inside)).toEqual(essence(bare));
    }
  });
});

describe.skipIf(captures === null)('doubletake inspect on the corpus', () => {
  const pathOf = (name: string): string => join(corpusFolder, name);

  test('a file, the same gzipped and the same on standard input print the same', async () => {
    const path = pathOf('http1/pcpp_tcp-reassembly.pcap');
    const bytes = readFileSync(path);
    const gzipped = join(folder, 'capture.gz');
    writeFileSync(gzipped, gzipSync(bytes));
    const plain = await runCli(['inspect', path, '--json']);
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout.trimEnd().split('\n')).toHaveLength(14);
    expect(await runCli(['inspect', gzipped, '--json'])).toEqual(plain);
    expect(await runCli(['inspect', '-', '--json'], bytes)).toEqual(plain);
    expect(await runCli(['inspect', '-', '--json'], gzipSync(bytes))).toEqual(plain);
  });

  test('an exchange is one line with every key of the contract', async () => {
    const { stdout } = await runCli(['inspect', pathOf('http1/zeek_proxy.pcap'), '--json']);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string;
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    const [line = '', ...others] = stdout.trimEnd().split('\n');
    expect(others).toEqual([]);
    const exchange = JSON.parse(line) as { request: { headers: unknown }; response: { headers: unknown } };
    expect(exchange).toEqual({
      connection: '192.168.56.1:52679>192.168.56.101:80',
      index: 0,
      protocol: 'HTTP/1.1',
      outcome: 'complete',
      request: {
        time,
        method: 'GET',
        target: 'HTTP://bro.org/',
        headers: exchange.request.headers,
        body: { bytes: 0, sha256: sha256(Buffer.alloc(0)) },
      },
      response: {
        time,
        status: expect.any(Number) as number,
        reason: expect.any(String) as string,
        headers: exchange.response.headers,
        body: { bytes: expect.any(Number) as number, sha256: digest },
      },
      fidelity: [],
    });
    for (const { headers } of [exchange.request, exchange.response]) {
      expect(headers).toEqual(expect.arrayContaining([[expect.any(String), expect.any(String)]]));
    }
  });

  test('a request without a response has null in its place', async () => {
    const { stdout } = await runCli(['inspect', pathOf('midstream-onesided/zeek_no-handshake.pcap'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'complete', response: null, fidelity: ['no_response'] });
  });

  test('the summary is one object with every key of the contract', async () => {
    const { stdout } = await runCli(['inspect', pathOf('gaps/sv_http-gap-simple.pcap'), '--summary', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      packets: expect.any(Number) as number,
      connections: 1,
      requests: 3,
      responses: 3,
      incomplete: { gap: 1 },
      gaps: { count: expect.any(Number) as number, bytes: expect.any(Number) as number },
      other: { tls: 0, http2: 0, websocket: 0 },
    });
  });

  test('other protocols are named', async () => {
    const others = async (name: string): Promise<unknown> => {
      const { stdout } = await runCliHere(['inspect', pathOf(name), '--summary', '--json']);
      return (JSON.parse(stdout) as InspectionSummary).other;
    };
    expect(await others('tls-keylog/zeek_tls12-decryption.pcap')).toEqual({ tls: 1, http2: 0, websocket: 0 });
    expect(await others('websocket/arkime_websocket.pcap')).toEqual({ tls: 0, http2: 0, websocket: 1 });
    expect(await others('http2-clear/arkime_http2-nghttp2.pcap')).toEqual({ tls: 0, http2: 1, websocket: 0 });
  });

  test('a VNI and a port choose', async () => {
    const count = async (...flags: string[]): Promise<number> => {
      const path = pathOf('vxlan/sv_vxlan-non-zero-reserved-fields.pcap');
      const { stdout } = await runCliHere(['inspect', path, '--summary', '--json', ...flags]);
      return (JSON.parse(stdout) as InspectionSummary).requests;
    };
    expect(await count('--port', '80')).toBe(1);
    expect(await count('--port', '81')).toBe(0);
    expect(await count('--vni', '16777215')).toBe(0);
  });
});

test.skipIf(captures === null)('every named difference is that of a capture', () => {
  const names = captures?.map(({ name }) => name) ?? [];
  expect(Object.keys(differences).filter((name) => !names.includes(name))).toEqual([]);
});

/** Every message that tshark found is there, in order; and nothing else when it found as many as there are. */
function expectMessages(inspection: RecordingInspection, capture: CorpusCapture, keyed: boolean): void {
  const ours = byConnection(ourMessages(inspection), keyed);
  const truth = byConnection(capture.truth, keyed);
  for (const [connection, lines] of truth) {
    expect({ connection, missing: missingInOrder(lines, ours.get(connection) ?? []) }).toEqual({ connection, missing: [] });
  }
  const count = (lists: Map<string, string[]>): number => [...lists.values()].flat().length;
  if (count(truth) === count(ours)) expect(new Set(ours.keys())).toEqual(new Set(truth.keys()));
}

/** Bodies have the lengths and hashes that we report, and those that tshark found are among them once unpacked. */
async function expectBodies(
  inspection: RecordingInspection,
  { path, objects }: CorpusCapture,
  mergeTunnels: boolean,
  foreign: number,
): Promise<void> {
  const streams = await StreamRecord.of(path, mergeTunnels);
  const found = new Set<string>();
  for (const { connection, message } of [...inspection.requests, ...inspection.responses]) {
    const body = streams.body(connection.id, message);
    if (body === null) {
      expect(message.outcome).not.toBe('complete');
      continue;
    }
    if (message.outcome === 'complete') {
      expect({ bytes: message.body.bytes, sha256: message.body.sha256 }).toEqual({ bytes: body.length, sha256: sha256(body) });
    }
    const content = unpack(body, message);
    if (content !== null) found.add(`${content.length} ${sha256(content)}`);
  }
  const missing = objects.filter((object) => !found.has(`${object.bytes} ${object.sha256}`));
  expect(missing).toHaveLength(foreign);
}
