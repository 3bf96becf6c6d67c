/** From `compare` in the configuration to who answers what, and to what it takes of the other stages. */
import type { Answer } from '../compare/pair.ts';
import type { MirrorConfig } from '../config/schema.ts';
import { DEFAULT_HTTP_LIMITS } from '../http/counters.ts';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import { type Answered, answerIn } from './answered.ts';
import type { AnswerSanitizer, PairingOptions } from './pairing.ts';

/** Kept of each request, to send it again. */
const requestBytesMax = 65_536;

/** Null when nothing is compared. */
export function pairingOptions({ compare, targets }: MirrorConfig): PairingOptions | null {
  if (compare === undefined) return null;
  const { baseline, reference = null, noiseShare, mapIds } = compare;
  const candidate = targets.find(({ name }) => name !== baseline && name !== reference);
  if (candidate === undefined) return null;
  return {
    baseline: baseline === 'production' ? null : baseline,
    reference,
    candidate: candidate.name,
    noiseShare,
    requestBytesMax,
    // With another baseline nobody knows which id production gave.
    mapIds: mapIds && baseline === 'production',
  };
}

/** Whether a target's answers are looked at. */
export function isCompared(config: MirrorConfig, target: string): boolean {
  const roles = pairingOptions(config);
  return roles !== null && [roles.baseline, roles.reference, roles.candidate].includes(target);
}

/** Response bodies of production that are kept, bytes each: 0 unless they are compared or recorded. */
export function responseBodyBytesMax(config: MirrorConfig): number {
  const roles = pairingOptions(config);
  // With chunk framing, which is no part of the content.
  const comparedMax = roles?.baseline === null ? 2 * (config.compare?.bodyBytesMax ?? 0) : DEFAULT_HTTP_LIMITS.responseBodyBytesMax;
  return Math.max(comparedMax, config.record?.bodyBytesMax ?? 0);
}

/** Makes answers safe under the key of the requests; null when nothing is sanitized. */
export function openAnswerSanitizer({ sanitize }: MirrorConfig['policy']): AnswerSanitizer | null {
  if (sanitize === undefined) return null;
  // What the candidate was sent as a pseudonym and answers with is not replaced a second time.
  const made = new Set<string>();
  const sanitizer = new Sanitizer(
    sanitize,
    Buffer.from(sanitize.key),
    (value) => made.add(value),
    (value) => made.has(value),
  );
  return { begin: () => made.clear(), sanitizer };
}

/** What is shorter may stand in a request by chance. */
const echoCharsMin = 6;

/**
 * A target's answer to a stored request, which was made safe long ago, in the form in which it is compared; null when it
 * cannot be made safe. What stands in the request is safe: the target's echo of it stays as it is.
 */
export function safeAnswer(answered: Answered, { sanitize }: MirrorConfig['policy'], request: Buffer): Answer | null {
  const { message } = answered;
  if (sanitize === undefined || message === null) return answerIn(message, answered);
  const latin1 = request.toString('latin1');
  const decoded = latin1.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const sent = [latin1, request.toString('utf8'), Buffer.from(decoded, 'latin1').toString('utf8')];
  const isEcho = (value: string): boolean => value.length >= echoCharsMin && sent.some((text) => text.includes(value));
  const safe = new Sanitizer(sanitize, Buffer.from(sanitize.key), null, isEcho).sanitizeResponse(message);
  return safe === null ? null : answerIn(safe, answered);
}

/** Hosts by which the versions mean themselves: each target's own. */
export function ownHosts({ targets }: MirrorConfig): string[] {
  return targets.map(({ url }) => new URL(url).host);
}
