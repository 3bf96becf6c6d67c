/**
 * What a copy that arrived has in common with the request that was sent. Pure. A `change` makes the replayed request
 * another one; a `remark` is a difference that means the same (RFC 9110 leaves it to proxies), or that the sink repairs.
 */

/** A request as its sender or its receiver has it; header values latin1. */
export interface SeenRequest {
  method: string;
  target: string;
  headers: readonly (readonly [name: string, value: string])[];
  /** Without transfer coding. */
  body: Buffer;
  framing: string;
}

export interface Findings {
  changes: string[];
  remarks: string[];
}

/** Fields of one hop, and those that every proxy sets itself. */
const proxyFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'content-length',
  'expect',
  'host',
  'x-forwarded-for',
]);

/** Compares the copy, with what the sink restored, with what was sent. `restored`: labels of fidelity. */
export function compareCopy(sent: SeenRequest, copy: SeenRequest, restored: readonly string[]): Findings {
  const changes: string[] = [];
  const remarks: string[] = [];
  if (copy.method !== sent.method) changes.push(`the method became ${copy.method}`);
  if (copy.target !== sent.target) changes.push(`the request target ${shown(sent.target)} became ${shown(copy.target)}`);
  const [sentHost, copyHost] = [valuesOf(sent, 'host')[0] ?? '', valuesOf(copy, 'host')[0] ?? ''];
  if (copyHost !== sentHost) changes.push(`Host: ${shown(sentHost)} became ${shown(copyHost)}`);
  if (restored.includes('host_restored')) remarks.push('the proxy changed Host, the sink put it back');
  if (restored.includes('target_restored')) remarks.push('the proxy changed the path, the sink put it back');
  if (!copy.body.equals(sent.body)) changes.push(bodyChange(sent.body, copy.body));
  else if (copy.framing !== sent.framing && sent.body.length > 0) remarks.push(`the body came ${framingText(copy.framing)} instead of ${framingText(sent.framing)}`);
  compareHeaders(sent, copy, changes, remarks);
  return { changes, remarks };
}

function compareHeaders(sent: SeenRequest, copy: SeenRequest, changes: string[], remarks: string[]): void {
  const names = new Set(sent.headers.map(([name]) => name.toLowerCase()).filter((name) => !proxyFields.has(name)));
  for (const name of names) {
    const [before, after] = [valuesOf(sent, name), valuesOf(copy, name)];
    if (after.length === 0) changes.push(`the header ${name} is missing`);
    else if (before.join('\n') === after.join('\n')) continue;
    else if (before.join(', ') === after.join(', ')) remarks.push(`the ${before.length} fields ${name} became one`);
    else changes.push(`the header ${name} ${shown(before.join(', '))} became ${shown(after.join(', '))}`);
  }
  const written = (request: SeenRequest): string[] => request.headers.map(([name]) => name).filter((name) => names.has(name.toLowerCase()));
  const [before, after] = [written(sent), written(copy)];
  if (before.join().toLowerCase() === after.join().toLowerCase() && before.join() !== after.join()) {
    remarks.push('header names came in another case');
  }
  if (sameLetters(before, after) && before.join().toLowerCase() !== after.join().toLowerCase()) remarks.push('headers came in another order');
  const known = new Set([...sent.headers.map(([name]) => name.toLowerCase()), ...proxyFields]);
  const added = [...new Set(copy.headers.map(([name]) => name).filter((name) => !known.has(name.toLowerCase())))];
  if (added.length > 0) remarks.push(`the proxy added ${added.join(', ')}`);
}

function sameLetters(a: readonly string[], b: readonly string[]): boolean {
  const sorted = (names: readonly string[]): string => names.map((name) => name.toLowerCase()).toSorted().join();
  return sorted(a) === sorted(b);
}

function valuesOf({ headers }: SeenRequest, lower: string): string[] {
  return headers.flatMap(([name, value]) => (name.toLowerCase() === lower ? [value] : []));
}

function bodyChange(sent: Buffer, copy: Buffer): string {
  if (copy.length === 0) return `the body of ${sent.length} bytes is missing`;
  if (copy.length < sent.length && sent.subarray(0, copy.length).equals(copy)) return `the body was cut from ${sent.length} to ${copy.length} bytes`;
  return `the body of ${sent.length} bytes became another one of ${copy.length} bytes`;
}

function framingText(framing: string): string {
  return framing === 'chunked' ? 'in chunks' : 'with a length';
}

const shownMax = 80;

function shown(text: string): string {
  return JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text);
}
