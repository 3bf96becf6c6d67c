import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { canaryKinds, letters, mark } from './support/canaries.ts';
import { normal, readable } from './support/canary-reader.ts';
import { conversation, type ConversationPacket, type Turn } from './support/conversation.ts';
import { type RecordedRequest, recordingTarget, type RunningMirror, startMirror, stopAll } from './support/mirror.ts';
import { client, ok } from './support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-leaks-'));
const requestsEach = 20;

afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sent {
  request: Buffer;
  kind: string;
  needles: readonly string[];
}

/** The n-th canary, in a request that says which it is. */
function plant(n: number): Sent {
  const kind = canaryKinds[n % canaryKinds.length];
  if (kind === undefined) throw new Error('there are no kinds of canaries');
  const { request, needles } = kind.plant(n);
  const lineEnd = request.indexOf('\r\n') + 2;
  const tagged = Buffer.concat([request.subarray(0, lineEnd), Buffer.from(`X-Case: case${n}\r\n`), request.subarray(lineEnd)]);
  return { request: tagged, kind: kind.name, needles };
}

function caseOf({ head }: RecordedRequest): number {
  return Number(/^X-Case: case(\d+)/m.exec(head)?.[1] ?? -1);
}

/** Connections of some requests each; some are cut into segments that end anywhere. */
function* packetsOf(requests: readonly Buffer[]): Generator<ConversationPacket> {
  for (let first = 0, connection = 0; first < requests.length; first += requestsEach, connection++) {
    const turns = requests.slice(first, first + requestsEach).flatMap((request): Turn[] => [{ client: request }, { server: ok }]);
    const mss = connection % 10 === 0 ? 61 : 1_460;
    yield* conversation({ client: client(connection), mss, acks: false }, turns);
  }
}

async function mirrorWith(name: string, url: string, sanitize: object | undefined): Promise<RunningMirror> {
  const config = join(folder, `${name}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
      policy: { methods: 'all', ...(sanitize === undefined ? {} : { sanitize }) },
      targets: [{ name: 'target', url }],
    }),
  );
  return startMirror([config]);
}

const troubles = troubled(0).length;

function found(needles: readonly string[], text: string): boolean {
  return needles.some((needle) => text.includes(normal(needle)));
}

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

test('every kind of canary arrives when nothing is sanitized, so that it would be found', async () => {
  const target = await recordingTarget();
  const mirror = await mirrorWith('control', target.url, undefined);
  const sent = canaryKinds.map((_, n) => plant(n));
  await mirror.sendPaced(packetsOf(sent.map(({ request }) => request)));
  const arrived = new Set<number>();
  for (const recorded of await target.received(sent.length)) {
    const n = caseOf(recorded);
    const text = readable(recorded.bytes);
    if (sent[n].needles.every((needle) => found([needle], text))) arrived.add(n);
  }
  expect(sent.filter((_, n) => !arrived.has(n)).map(({ kind }) => kind)).toEqual([]);
}, 60_000);

test('no canary of ten thousand leaves the process under the three presets', async () => {
  const target = await recordingTarget((socket, { head }) => {
    if (head.includes('/fail')) socket.destroy();
    else socket.write(head.includes('/garbage') ? 'this is not HTTP\r\n\r\n' : ok);
  });
  const mirror = await mirrorWith('presets', target.url, { key: 'a key of the tests, long enough' });
  const sent = Array.from({ length: 10_000 }, (_, n) => plant(n));
  await mirror.sendPaced(packetsOf(sent.map(({ request }) => request)));
  const numbers = Array.from({ length: 20 }, (_, n) => 20_000 + n);
  for (const n of numbers) {
    for (const [index, request] of troubled(n).entries()) {
      const turns: Turn[] = [{ client: request }, { server: ok }];
      await mirror.send(conversation({ client: client(n + index * 100) }, turns));
    }
  }
  const total = sent.length + numbers.length * troubles;
  await mirror.ledgerWhen('all requests ended', ({ captured, inFlight }) => captured === total && inFlight === 0);
  const { ledger, code, stdout, stderr } = await mirror.stop();

  const leaks = new Set<string>();
  for (const recorded of target.requests) {
    const n = caseOf(recorded);
    const text = readable(recorded.bytes);
    // The letters of any canary, the digits of its own.
    if (text.includes(mark) || found(sent[n]?.needles ?? [], text)) leaks.add(sent[n]?.kind ?? recorded.head);
  }
  expect([...leaks]).toEqual([]);
  const said = normal([stdout, stderr, JSON.stringify(ledger)].join('\n'));
  expect(said).not.toContain(mark);
  expect(sent.filter(({ needles }) => needles.some((needle) => needle.length > 7 && said.includes(normal(needle))))).toEqual([]);
  // None of them was lost or blocked, and of the others each met its trouble.
  expect(new Set(target.requests.map(caseOf)).size).toBe(sent.length + 1);
  expect(ledger.outcomes).toMatchObject({
    replayed: sent.length,
    blocked: {
      unsanitizable: 3 * numbers.length,
      ambiguous_framing: 2 * numbers.length,
      upgrade: numbers.length,
      loop: numbers.length,
      connect: numbers.length,
    },
    failed: { reset: numbers.length, protocol: numbers.length },
    incomplete: { closed: numbers.length },
  });
  expect(code).toBe(0);
}, 60_000);
