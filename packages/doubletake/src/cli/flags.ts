/**
 * Parsers of single flags: text to value, or one clear line. What the configuration knows too is checked by its schema,
 * so that a flag and the file take the same and say the same of what they do not take.
 */
import type { z } from 'zod';
import { durationSchema, listenSchema, methodsSchema, percentageSchema, targetUrlSchema } from '../config/values.ts';
import { DoubletakeError } from '../errors.ts';

/** A whole number within bounds, for `flag`. */
export function parseInteger(flag: string, text: string, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw usageError(`${flag} ${text}: expected a whole number from ${min} to ${max}`);
  }
  return number;
}

/** `[HOST:]PORT`, as the configuration takes it. */
export function parseListen(flag: string, text: string): string {
  checked(flag, text, text, listenSchema);
  return text;
}

/** A percentage from 0 to 100, fractions allowed. */
export function parsePercentage(flag: string, text: string): number {
  return checked(flag, text, text, percentageSchema);
}

/** `safe`, `all`, or methods with commas between them. Methods are compared exactly, so usual ones are put in capitals. */
export function parseMethods(flag: string, text: string): 'safe' | 'all' | string[] {
  const methods = text === 'safe' || text === 'all' ? text : text.split(',').map((method) => method.trim().toUpperCase());
  return checked(flag, text, methods, methodsSchema, 'expected safe, all, or methods such as GET,HEAD,POST');
}

/** `[NAME=]URL` of a target; `position` names those that have no name. */
export function parseTarget(flag: string, text: string, position: number): { name: string; url: string } {
  const match = /^(?:([A-Za-z0-9][A-Za-z0-9_.-]*)=)?(.*)$/s.exec(text);
  const url = match?.[2] ?? '';
  const name = match?.[1] ?? (position === 0 ? 'target' : `target-${position + 1}`);
  const result = targetUrlSchema.safeParse(url);
  if (!result.success) {
    const problem = result.error.issues[0]?.message ?? '';
    throw usageError(`${flag} ${text}: ${problem}; expected [NAME=]URL such as http://test.internal:8080`);
  }
  return { name, url };
}

/** `[HOST:]PORT=URL` of a proxy. */
export function parseProxy(flag: string, text: string): { listen: string; upstream: string } {
  const match = /^([^=]*)=(.*)$/s.exec(text);
  if (match === null) throw usageError(`${flag} ${text}: expected [HOST:]PORT=URL such as 8080=http://10.0.1.2:80`);
  return { listen: parseListen(flag, match[1]), upstream: match[2] };
}

/** A length of time such as `500ms`, `20s`, `2m` or `1h`, in milliseconds. */
export function parseDuration(flag: string, text: string): number {
  return checked(flag, text, text, durationSchema);
}

/** What `schema` makes of `value`; `text` is how the user wrote it. */
function checked<T>(flag: string, text: string, value: unknown, schema: z.ZodType<T>, expected?: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw usageError(`${flag} ${text}: ${expected ?? result.error.issues[0]?.message ?? 'cannot be used'}`);
}

function usageError(message: string): DoubletakeError {
  return new DoubletakeError('DT_USAGE', message);
}
