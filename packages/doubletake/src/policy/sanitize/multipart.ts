/** Rewrites the parts of a multipart body (RFC 2046, RFC 7578) and keeps the bytes between them. Strings are latin1. */

export interface Part {
  /** `name` of Content-Disposition; empty when it has none. */
  name: string;
  contentType: string;
  transferEncoding: string;
  body: string;
}

/** Null: the part cannot be read. */
export type PartHandler = (part: Part) => string | null;

/** Null when the body is not what its boundary says, or a part cannot be read. `text` rewrites the parts' own heads. */
export function rewriteMultipart(
  source: string,
  boundary: string,
  part: PartHandler,
  text: (text: string) => string,
): string | null {
  const mark = `--${boundary}`;
  const first = source.startsWith(mark) ? 0 : source.indexOf(`\r\n${mark}`) + 2;
  if (first === 1) return null;
  let out = text(source.slice(0, first));
  let at = first + mark.length;
  while (!source.startsWith('--', at)) {
    const headStart = source.indexOf('\r\n', at);
    const next = source.indexOf(`\r\n${mark}`, at);
    if (headStart < 0 || next < 0) return null;
    // A part without a head begins with an empty line.
    const headEnd = headStart === next ? -1 : source.indexOf('\r\n\r\n', headStart);
    if (headEnd < 0 || headEnd > next) return null;
    const head = source.slice(headStart, headEnd);
    const fields = fieldsOf(head);
    const disposition = fields.get('content-disposition') ?? '';
    const rewritten = part({
      name: parameter(disposition, 'name') ?? '',
      contentType: fields.get('content-type') ?? '',
      transferEncoding: (fields.get('content-transfer-encoding') ?? '').toLowerCase(),
      body: source.slice(Math.min(headEnd + 4, next), next),
    });
    if (rewritten === null) return null;
    out += `${mark}${source.slice(at, headStart)}${text(head)}\r\n\r\n${rewritten}\r\n`;
    at = next + 2 + mark.length;
  }
  return `${out}${mark}--${text(source.slice(at + 2))}`;
}

/** Value of a parameter such as `name="a"` or `boundary=b`; undefined when it is not there. */
export function parameter(value: string, name: string): string | undefined {
  const lower = value.toLowerCase();
  for (let at = lower.indexOf(';'); at >= 0; at = lower.indexOf(';', at + 1)) {
    const start = at + 1 + (/^\s*/.exec(lower.slice(at + 1, at + 33))?.[0].length ?? 0);
    if (!lower.startsWith(`${name}=`, start)) continue;
    const from = start + name.length + 1;
    if (value[from] === '"') {
      const end = value.indexOf('"', from + 1);
      return end < 0 ? undefined : value.slice(from + 1, end);
    }
    const end = value.indexOf(';', from);
    return value.slice(from, end < 0 ? undefined : end).trim();
  }
  return undefined;
}

function fieldsOf(head: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}
