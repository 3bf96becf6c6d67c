/**
 * The kinds of value that stand in a configuration, each with what users write and what the program takes: `30s` is
 * 30,000 milliseconds, `64MiB` is 67,108,864 bytes, `127.0.0.1:4789` is a host and a port. Flags are read by the same
 * schemas.
 *
 * A message that begins with `expected` is printed behind what was found; any other stands for itself.
 */
import { z } from 'zod';
import type { HostPort } from '../host-port.ts';
import { token } from '../token.ts';

/** Takes a text to a value; null from `read` means that it is not such a thing. */
export function textual<T>(title: string, expected: string, read: (text: string) => T | null) {
  return z
    .string({ error: expected })
    .meta({ title })
    .transform((text, context): T => refuseNull(read(text), expected, context));
}

/** The same for what may also be written as a plain number. */
export function textualOrNumber<T>(title: string, expected: string, read: (text: string) => T | null) {
  return z
    .union([z.string(), z.number()], { error: expected })
    .meta({ title })
    .transform((value, context): T => refuseNull(read(String(value)), expected, context));
}

function refuseNull<T>(value: T | null, message: string, context: z.RefinementCtx): T {
  if (value !== null) return value;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z.int({ error: expected }).min(min, { error: expected }).max(max, { error: expected });
}

export const textSchema = z.string().min(1, { error: 'expected a text that is not empty' });

/** `[HOST:]PORT` with brackets around an IPv6 address; without a host, `hostDefault`. */
export function listenSchemaFor(hostDefault: string) {
  return textualOrNumber(
    '[HOST:]PORT',
    'expected [HOST:]PORT with a port from 0 to 65535, such as 4789, 127.0.0.1:4789 or [::1]:4789',
    (text): HostPort | null => {
      const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text);
      const port = Number(match?.[3]);
      return match === null || port > 65_535 ? null : { host: match[1] ?? match[2] ?? hostDefault, port };
    },
  );
}

/** The same; without a host, all IPv4 addresses of this machine. */
export const listenSchema = listenSchemaFor('0.0.0.0');

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const durationMsMax = 86_400_000;

/** A length of time such as `500ms`, `20s`, `2m` or `1h`, in milliseconds. */
export const durationSchema = textual('duration', 'expected a duration up to 24h, such as 20s or 2m', (text) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = Math.ceil(Number(match?.[1]) * (unitMs[match?.[2] ?? ''] ?? Number.NaN));
  return ms > 0 && ms <= durationMsMax ? ms : null;
});

const ageMsMax = 3_650 * 86_400_000;

/** For how long something is kept: as a duration, also in days, in milliseconds. */
export const ageSchema = textual('age', 'expected an age up to 3650d, such as 12h or 30d', (text) => {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text);
  const unit = match?.[2] === 'd' ? 86_400_000 : (unitMs[match?.[2] ?? ''] ?? Number.NaN);
  const ms = Math.ceil(Number(match?.[1]) * unit);
  return ms > 0 && ms <= ageMsMax ? ms : null;
});

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
  kB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
};
const sizeBytesMax = 1_099_511_627_776;

/** A number of bytes such as `512KiB` or `64MiB`. */
export const sizeSchema = textual('size', 'expected a size from 1B to 1024GiB, such as 512KiB or 64MiB', (text) => {
  const match = /^(\d+(?:\.\d+)?) ?([KMG]iB|[kMG]?B)$/.exec(text);
  const bytes = Math.floor(Number(match?.[1]) * (unitBytes[match?.[2] ?? ''] ?? Number.NaN));
  return bytes >= 1 && bytes <= sizeBytesMax ? bytes : null;
});

/** From 0 to 100, fractions allowed, with or without the sign. */
export const percentageSchema = textualOrNumber('percentage', 'expected a number from 0 to 100', (text) => {
  const match = /^(\d+(?:\.\d+)?(?:e-\d+)?) ?%?$/.exec(text);
  const number = Number(match?.[1] ?? Number.NaN);
  return number >= 0 && number <= 100 ? number : null;
});

/** An HTTP method is compared exactly. */
const methodSchema = z
  .string()
  .regex(token, { error: 'expected an HTTP method' })
  .meta({ title: 'method' });

export const methodsSchema = z.union([z.enum(['safe', 'all']), z.array(methodSchema).min(1)]);

/** The URL of a target: http or https, a host, perhaps a port and a path that goes before every request's own. */
export const targetUrlSchema = z
  .string()
  .meta({ title: 'URL' })
  .superRefine((text, context) => {
    const problem = targetProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

function targetProblem(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return 'a target is an http:// or https:// URL';
  if (!URL.canParse(text)) return 'this is not a valid URL';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'a target takes no user name and password in its URL';
  if (url.search !== '' || url.hash !== '') return 'a target takes no query and no fragment';
  return null;
}
