/** Parsers of single flags: text to value, or one clear line. */
import { DoubletakeError } from '../errors.ts';

export interface Listen {
  host: string;
  port: number;
}

/** A whole number within bounds, for `flag`. */
export function parseInteger(flag: string, text: string, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw usageError(`${flag} ${text}: expected a whole number from ${min} to ${max}`);
  }
  return number;
}

/** `[HOST:]PORT`, with brackets around an IPv6 address. */
export function parseListen(flag: string, text: string, defaultHost: string): Listen {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw usageError(
      `${flag} ${text}: expected [HOST:]PORT with a port from 0 to 65535, such as 4789, 127.0.0.1:4789 or [::1]:4789`,
    );
  }
  return { host: match[1] ?? match[2] ?? defaultHost, port };
}

/** A percentage from 0 to 100, fractions allowed. */
export function parsePercentage(flag: string, text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= 0 && number <= 100)) throw usageError(`${flag} ${text}: expected a number from 0 to 100`);
  return number;
}

/** `safe`, `all`, or methods with commas between them. Methods are compared exactly, so usual ones are put in capitals. */
export function parseMethods(flag: string, text: string): 'safe' | 'all' | string[] {
  if (text === 'safe' || text === 'all') return text;
  const methods = text.split(',').map((method) => method.trim().toUpperCase());
  if (!methods.every((method) => /^[!#$%&'*+.^_`|~0-9A-Z-]+$/.test(method))) {
    throw usageError(`${flag} ${text}: expected safe, all, or methods such as GET,HEAD,POST`);
  }
  return methods;
}

/** `[NAME=]URL` of a target; `position` names those that have no name. */
export function parseTarget(flag: string, text: string, position: number): { name: string; url: string } {
  const match = /^(?:([A-Za-z0-9][A-Za-z0-9_.-]*)=)?(.*)$/s.exec(text);
  const url = match?.[2] ?? '';
  const name = match?.[1] ?? (position === 0 ? 'target' : `target-${position + 1}`);
  const problem = targetProblem(url);
  if (problem !== null) {
    throw usageError(`${flag} ${text}: ${problem}; expected [NAME=]URL such as http://test.internal:8080`);
  }
  return { name, url };
}

function targetProblem(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return 'a target is an http:// or https:// URL';
  if (!URL.canParse(text)) return 'this is not a valid URL';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'a target takes no user name and password in its URL';
  if (url.search !== '' || url.hash !== '') return 'a target takes no query and no fragment';
  return null;
}

function usageError(message: string): DoubletakeError {
  return new DoubletakeError('DT_USAGE', message);
}

/** A length of time such as `500ms`, `20s`, `2m` or `1h`, in milliseconds. */
export function parseDuration(flag: string, text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN);
  if (!(ms > 0 && ms <= 86_400_000)) throw usageError(`${flag} ${text}: expected a duration up to 24h, such as 20s or 2m`);
  return ms;
}
