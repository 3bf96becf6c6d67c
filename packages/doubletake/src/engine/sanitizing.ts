/** Makes the sanitizers that the configuration asks for. */
import { createHmac } from 'node:crypto';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';

/** Null when nothing is to be sanitized. Throws a `DoubletakeError` for a rule with a JSONPath or pattern that is none. */
export function openSanitizer({ sanitize }: MirrorConfig['policy'], copy = 0): Sanitizer | null {
  if (sanitize === undefined) return null;
  // The people of a second copy are other people.
  const key = copy === 0 ? Buffer.from(sanitize.key) : createHmac('sha256', sanitize.key).update(`copy ${copy}`).digest();
  try {
    return new Sanitizer(sanitize, key);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_CONFIG', `policy.sanitize: ${reason}`, { cause: error });
  }
}

/** One for each copy that a target makes of a request; null when nothing is to be sanitized. */
export function openSanitizers(policy: MirrorConfig['policy'], targets: readonly TargetConfig[]): Sanitizer[] | null {
  const copies = Math.max(1, ...targets.map(({ multiply }) => multiply));
  const sanitizers = Array.from({ length: copies }, (_, copy) => openSanitizer(policy, copy)).filter((made) => made !== null);
  return sanitizers.length > 0 ? sanitizers : null;
}
