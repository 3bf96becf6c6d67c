/**
 * Connections whose requests carry canaries, and whose answers carry others: production's those of another kind, a target's
 * those of a third, so that comparisons find differences. Every message says which case it is (`X-Case: case17`).
 */
import { canaryKinds } from './canaries.ts';
import { conversation, type ConversationPacket, type Turn } from './conversation.ts';
import { client } from './requests.ts';

/** Requests of a connection. */
export const requestsEach = 20;

export interface Sent {
  request: Buffer;
  kind: string;
  needles: readonly string[];
}

const planted = new Map<number, Sent>();

/** The n-th canary, in a request that says which it is: made once, since it is looked for in many places. */
export function plant(n: number): Sent {
  const sent = planted.get(n) ?? makeSent(n);
  planted.set(n, sent);
  return sent;
}

function makeSent(n: number): Sent {
  const kind = canaryKinds[n % canaryKinds.length];
  if (kind === undefined) throw new Error('there are no kinds of canaries');
  const { request, needles } = kind.plant(n);
  const lineEnd = request.indexOf('\r\n') + 2;
  const tagged = Buffer.concat([request.subarray(0, lineEnd), Buffer.from(`X-Case: case${n}\r\n`), request.subarray(lineEnd)]);
  return { request: tagged, kind: kind.name, needles };
}

/** Which canary a message carries, from what is there of its head; -1 when it does not say so. */
export function caseOf(head: string): number {
  return Number(/^X-Case: case(\d+)/im.exec(head)?.[1] ?? -1);
}

/** A request as an answer: what was asked for is where to go next, and what a client keeps is what it is told to keep. */
export function asAnswer({ request }: Sent): Buffer {
  const headEnd = request.indexOf('\r\n\r\n');
  const [line = '', ...fields] = request.toString('latin1', 0, headEnd).split('\r\n');
  const kept = fields.filter((field) => !field.startsWith('Host:')).map((field) => field.replace(/^Cookie: .*; ?/, 'Set-Cookie: '));
  const framed = kept.some((field) => /^(?:content-length|transfer-encoding):/i.test(field)) ? [] : ['Content-Length: 0'];
  const head = ['HTTP/1.1 200 OK', `Location: ${line.split(' ')[1]}`, ...kept, ...framed].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), request.subarray(headEnd + 4)]);
}

/** Connections of some requests each; some are cut into segments that end anywhere. */
export function* packetsOf(sent: readonly Sent[], answerTo: (n: number) => Buffer): Generator<ConversationPacket> {
  for (let first = 0, connection = 0; first < sent.length; first += requestsEach, connection++) {
    const turns = sent
      .slice(first, first + requestsEach)
      .flatMap(({ request }, index): Turn[] => [{ client: request }, { server: answerTo(first + index) }]);
    const mss = connection % 10 === 0 ? 61 : 1_460;
    yield* conversation({ client: client(connection), mss, acks: false }, turns);
  }
}

/** The address from which the n-th of all requests came. */
export function clientOf(n: number): string {
  return client(Math.floor(n / requestsEach)).split(':')[0] ?? '';
}
