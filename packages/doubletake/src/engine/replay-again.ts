/**
 * Sends a stored request to a target once more, by hand: through a client of its own with the guards of every replay, and
 * outside of what is counted. The circuit breaker and the rate limit hear nothing of it; the kill switch holds.
 */
import type { Answer } from '../compare/pair.ts';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import { headerOf, readRequest } from '../compare/clusters/request-parts.ts';
import { DoubletakeError } from '../errors.ts';
import { ChunkedDecoder } from '../http/chunked.ts';
import { REPLAY_ID_HEADER } from '../policy/policy.ts';
import { OwnCredential } from '../policy/rewrite/own-credential.ts';
import type { ProductionServers } from '../policy/production-servers.ts';
import type { ReplayTarget } from '../replay/replay-target.ts';
import type { ReplayResult } from '../replay/target.ts';
import { answerOf } from './answered.ts';
import { safeAnswer } from './comparing.ts';
import type { StoredRequest } from './run-answers.ts';
import { outcomeOf } from './target-unit.ts';
import { openTarget } from './targets.ts';

/** At once: a hand is slow. */
const underWayMax = 4;

export interface AgainOptions {
  target: TargetConfig;
  /** PEM text; null for the system's authorities. */
  authority: string | null;
  policy: MirrorConfig['policy'];
  production: ProductionServers;
  /** Of the answer. */
  keepBodyBytesMax: number;
}

export class ReplayAgain {
  readonly #underWay = new Set<ReplayTarget>();
  #last = 0;

  /** What the target answers, made safe. Rejects with a `DoubletakeError` when it cannot be sent, or there is no such answer. */
  async send(request: StoredRequest, options: AgainOptions): Promise<Answer> {
    const bytes = Buffer.from(request.bytes);
    const result = await this.#send(request, bytes, options);
    const answered = answerOf(result);
    if (answered === null) throw refusal(`the request was not sent: ${outcomeOf(result)}`);
    const answer = safeAnswer(answered, options.policy, bytes);
    if (answer === null) throw refusal('it was sent, and its answer cannot be made safe to be shown');
    return answer;
  }

  /** The kill switch: what is under way ends at once. */
  halt(): void {
    for (const target of this.#underWay) target.halt({ outcome: 'blocked', guard: 'kill_switch' });
  }

  async #send({ id, method }: StoredRequest, bytes: Buffer, { target: config, authority, production, keepBodyBytesMax }: AgainOptions): Promise<ReplayResult> {
    if (!isWhole(bytes)) throw refusal('only a part of the request is kept, so that it cannot be sent again');
    if (this.#underWay.size >= underWayMax) throw new DoubletakeError('DT_BUSY', `${underWayMax} requests are being sent again already`);
    const target = openTarget(config, authority, 1, production, keepBodyBytesMax);
    this.#underWay.add(target);
    try {
      const { credentials } = config;
      const whole = credentials === undefined ? bytes : new OwnCredential(credentials).restore(bytes);
      const marked = withId(whole, `${id}.hand${++this.#last}`);
      return await new Promise((resolve) => {
        target.send({ bytes: [marked], length: marked.length, method, lane: null, timeUs: Date.now() * 1_000, probability: 1 }, resolve);
      });
    } finally {
      this.#underWay.delete(target);
      await target.close(0);
    }
  }
}

/** Why a request is not sent again. */
export function refusal(why: string): DoubletakeError {
  return new DoubletakeError('DT_REPLAY_AGAIN', why);
}

/** Whether all of a request is there, and nothing behind it. Its framing was sound when it was first sent. */
function isWhole(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  if (end < 0) return false;
  const { headers } = readRequest(bytes);
  const body = bytes.subarray(end + 4);
  if (headerOf(headers, 'transfer-encoding') === null) return body.length === Number(headerOf(headers, 'content-length') ?? 0);
  const decoder = new ChunkedDecoder();
  return decoder.read(body, 0, body.length, { decoded: () => {} }) === body.length && decoder.done;
}

/** With another id of the replay: it is another sending. */
function withId(bytes: Buffer, id: string): Buffer {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  const head = bytes.toString('latin1', 0, end).replace(ID_LINE, () => `\r\n${REPLAY_ID_HEADER}: ${id}`);
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end)]);
}

const ID_LINE = new RegExp(String.raw`\r\n${REPLAY_ID_HEADER}:[^\r]*`, 'i');
