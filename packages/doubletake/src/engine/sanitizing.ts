/** Makes the sanitizer that the configuration asks for. */
import type { MirrorConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';

/** Null when nothing is to be sanitized. Throws a `DoubletakeError` for a rule with a JSONPath or pattern that is none. */
export function openSanitizer({ sanitize }: MirrorConfig['policy']): Sanitizer | null {
  if (sanitize === undefined) return null;
  try {
    return new Sanitizer(sanitize, Buffer.from(sanitize.key));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_CONFIG', `policy.sanitize: ${reason}`, { cause: error });
  }
}
