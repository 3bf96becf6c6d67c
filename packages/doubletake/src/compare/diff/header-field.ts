/** What is known about header fields: whether their values mean the same, although they are written differently. */
import { sameDateFormat, sameLifetime } from '../content/http-date.ts';
import { parseMediaType } from '../content/media-type.ts';

/** One side's values of a field, and what they are to be understood by. */
export interface FieldSide {
  values: readonly string[];
  /** The Date field of the same answer. */
  date: string | undefined;
  ownHosts: readonly string[];
}

/** Says whether the values of a field are the same to whoever reads them. */
export type SameField = (a: FieldSide, b: FieldSide) => boolean;

/**
 * Fields that are about the connection or the moment: between two hops (RFC 9110 section 7.6.1), framing, clocks and how
 * long an answer took.
 */
const ignored = new Set([
  'age',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'server-timing',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-doubletake-id',
  'x-envoy-upstream-service-time',
  'x-process-time',
  'x-response-time',
  'x-runtime',
]);

const fields: Readonly<Record<string, SameField>> = {
  'accept-ranges': sameTokens,
  'access-control-allow-headers': sameTokens,
  'access-control-allow-methods': sameTokens,
  'access-control-expose-headers': sameTokens,
  allow: sameTokens,
  'cache-control': sameTokens,
  'content-encoding': (a, b) => list(a).join() === list(b).join(),
  'content-language': sameTokens,
  'content-location': sameLocation,
  'content-type': sameType,
  etag: sameTag,
  expires: (a, b) => sameLifetime(text(a), a.date, text(b), b.date),
  location: sameLocation,
  pragma: sameTokens,
  vary: sameTokens,
};

/** How a field is compared, by its name in lower case; null for a field that says nothing about the answer. */
export function comparisonOf(name: string): SameField | null {
  if (ignored.has(name)) return null;
  return Object.hasOwn(fields, name) ? fields[name] : sameText;
}

/** Both name one media type, whatever its parameters. */
export function sameMediaType(a: string, b: string): boolean {
  return parseMediaType(a).type === parseMediaType(b).type;
}

/** A reference without what only says which environment it was made in. */
export function withoutOwnHost(reference: string, ownHosts: readonly string[]): string {
  const [, host, rest] = /^(?:https?:)?\/\/([^/?#]*)(.*)$/is.exec(reference) ?? [];
  if (host === undefined || !ownHosts.includes(host.toLowerCase())) return reference;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function text({ values }: FieldSide): string {
  return values.map((value) => value.trim()).join(', ');
}

function sameText(a: FieldSide, b: FieldSide): boolean {
  const [left, right] = [text(a), text(b)];
  return left === right || sameDateFormat(left, right);
}

/** The elements of a list, in lower case and without the quotes that a token may stand in. */
function list({ values }: FieldSide): string[] {
  return values
    .join(',')
    .split(',')
    .map((token) => token.trim().toLowerCase().replaceAll('"', ''))
    .filter((token) => token !== '');
}

function sameTokens(a: FieldSide, b: FieldSide): boolean {
  const [left, right] = [new Set(list(a)), new Set(list(b))];
  return left.size === right.size && [...left].every((token) => right.has(token));
}

function sameType(a: FieldSide, b: FieldSide): boolean {
  const [left, right] = [parseMediaType(text(a)), parseMediaType(text(b))];
  const names = new Set([...left.parameters.keys(), ...right.parameters.keys()]);
  // Made up for each answer.
  names.delete('boundary');
  return (
    left.type === right.type &&
    [...names].every((name) => left.parameters.get(name)?.toLowerCase() === right.parameters.get(name)?.toLowerCase())
  );
}

/** Two servers tag the same content differently, and where the content differs that is said already. */
function sameTag(a: FieldSide, b: FieldSide): boolean {
  const tag = /^(?:W\/)?"[^"]*"$/;
  return text(a) === text(b) || (tag.test(text(a)) && tag.test(text(b)));
}

function sameLocation(a: FieldSide, b: FieldSide): boolean {
  return withoutOwnHost(text(a), a.ownHosts) === withoutOwnHost(text(b), b.ownHosts);
}
