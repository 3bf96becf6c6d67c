/**
 * Parsers of single flags: text to value, or one clear line. What the configuration knows too is checked by its schema,
 * so that a flag and the file take the same and say the same of what they do not take.
 */
import { isIPv6 } from 'node:net';
import type { z } from 'zod';
import { durationSchema, listenSchema, methodsSchema, percentageSchema, sizeSchema, targetUrlSchema } from '../config/values.ts';
import { DoubletakeError } from '../errors.ts';
import type { HostPort } from '../host-port.ts';

/** A whole number within bounds, for `flag`. */
export function parseInteger(flag: string, text: string, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw usageError(`${flag} ${text}: expected a whole number from ${min} to ${max}`);
  }
  return number;
}

/** A number within bounds, fractions allowed, for `flag`. */
export function parseNumber(flag: string, text: string, min: number, max: number, expected: string): number {
  const number = /^\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) throw usageError(`${flag} ${text}: ${expected}`);
  return number;
}

/** A time of RFC 3339, with its offset from UTC, as microseconds since the epoch. */
export function parseTime(flag: string, text: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) throw usageError(`${flag} ${text}: expected a time such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00.5+01:00`);
  return ms * 1_000 + Number((match?.[2] ?? '').padEnd(6, '0'));
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

/** `HOST[:PORT]`; an IPv6 address stands in brackets, at least where a port follows. */
export function parseReceiver(flag: string, text: string, portDefault: number): HostPort {
  if (isIPv6(text)) return { host: text, port: portDefault };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? portDefault);
  if (match === null || port < 1 || port > 65_535) {
    throw usageError(`${flag} ${text}: expected HOST[:PORT], such as 10.0.3.7, mirror.internal:4789 or [fd00::7]:4789`);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

/** A number of bytes such as `512B` or `32MiB`, within bounds. */
export function parseSize(flag: string, text: string): number {
  return checked(flag, text, text, sizeSchema);
}

/** A number of packets, or a size, in each second: `20000`, `50MB`, with `/s` or without. */
export function parseRate(flag: string, text: string): { packets: number | null; bytes: number | null } {
  const amount = text.replace(/\/s$/, '');
  const packets = /^\d{1,9}$/.test(amount) ? Number(amount) : 0;
  if (packets > 0) return { packets, bytes: null };
  const size = sizeSchema.safeParse(amount);
  if (size.success) return { packets: null, bytes: size.data };
  throw usageError(`${flag} ${text}: expected packets a second such as 20000, or bytes a second such as 50MB`);
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
