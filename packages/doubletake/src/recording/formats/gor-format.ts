/**
 * The file format of GoReplay (`.gor`): payloads, each behind one line that says what it is, and each closed by a
 * separator line. https://github.com/buger/goreplay, protocol.go and input_file.go:
 *
 *     1 932079936fa4306fc308d67588178d17d823647c 1439818823587396305 2782013
 *     GET / HTTP/1.1 ...
 *     🐵🙈🙉
 *
 * The line holds the type (1 request, 2 the response to it, 3 the response of a replay), an id that a request has in
 * common with its responses, the time in nanoseconds, and how long it took. Before version 1 a request had no duration,
 * and a response the time of its request with the time from there to its end.
 */

/** Between payloads; the last one has it, too. A body that holds it cannot be written. */
export const separator = Buffer.from('\n🐵🙈🙉\n');

export interface GorPayload {
  type: 'request' | 'response' | 'replayed';
  id: string;
  timeUs: number;
  /** Null where the line names none. */
  durationUs: number | null;
  bytes: Buffer;
}

const types: Readonly<Record<string, GorPayload['type']>> = { 1: 'request', 2: 'response', 3: 'replayed' };

/** The payload that `bytes`, without the separator, are; or what is wrong with them. */
export function parsePayload(bytes: Buffer): GorPayload | string {
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd < 0 || lineEnd > 1_024) return 'has no line that says what it is';
  const [type = '', id = '', time = '', duration] = bytes.toString('latin1', 0, lineEnd).trimEnd().split(' ');
  const known = types[type];
  if (known === undefined || id === '' || !/^\d{1,19}$/.test(time)) return 'has no line of type, id and time';
  const durationUs = duration !== undefined && /^\d{1,19}$/.test(duration) ? microseconds(duration) : null;
  return { type: known, id, timeUs: microseconds(time), durationUs, bytes: bytes.subarray(lineEnd + 1) };
}

/** As it stands in a file, with the separator. Null when its bytes hold the separator. */
export function formatPayload({ type, id, timeUs, durationUs, bytes }: GorPayload): Buffer[] | null {
  if (holdsSeparator(bytes)) return null;
  const number = type === 'request' ? 1 : type === 'response' ? 2 : 3;
  const duration = durationUs === null ? '' : ` ${nanoseconds(durationUs)}`;
  return [Buffer.from(`${number} ${id} ${nanoseconds(timeUs)}${duration}\n`), bytes, separator];
}

/** With the line end before it and the one behind it, too. */
function holdsSeparator(bytes: Buffer): boolean {
  const line = separator.subarray(1, -1);
  if (!bytes.includes(line)) return false;
  return Buffer.concat([Buffer.from('\n'), bytes, Buffer.from('\n')]).includes(separator);
}

/** Nanoseconds since the epoch are more than a number holds exactly; microseconds are not. */
function microseconds(digits: string): number {
  return digits.length > 3 ? Number(digits.slice(0, -3)) : 0;
}

function nanoseconds(us: number): string {
  return us >= 1 ? `${Math.floor(us)}000` : '0';
}
