import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { libhtpFiles, messagesFolder, readLibhtpCase, readLlhttpCases, type LlhttpCase } from '../../test/support/http-messages.ts';
import { bytewise, play, playInto, whole, type Cut, type Step } from '../../test/support/http-script.ts';
import type { Message } from './exchange.ts';

/** Where we read a message otherwise than Node's parser does, on purpose. */
const LLHTTP_DIFFERENCES = new Map([
  ['request/content-length.md: Content-Length reset when no body is received', 'its caller skips the body, we read it'],
  ['request/content-length.md: Missing CRLF-CRLF before body (lenient)', 'a lone CR ends no line, also not leniently'],
  ['request/invalid.md: Headers separated by dummy characters (lenient)', 'a lone CR ends no line, also not leniently'],
  ['request/lenient-headers.md: Empty headers separated by CR (lenient)', 'a lone CR ends no line: bare_cr'],
  ['request/method.md: CONNECT with body', 'it ends at the head of CONNECT; without an answer we go on by its length'],
  ['request/method.md: SOURCE request with ICE', 'Icecast is not HTTP'],
  ['request/method.md: OPTIONS request with RTSP', 'RTSP is not HTTP'],
  ['request/method.md: ANNOUNCE request with RTSP', 'RTSP is not HTTP'],
  ['request/transfer-encoding.md: POST with `Transfer-Encoding` and `Content-Length` (lenient)', 'chunked wins: length_and_chunked'],
  ['request/transfer-encoding.md: POST with `chunked` before other transfer-coding (lenient)', 'a request does not end with its connection'],
  ['request/transfer-encoding.md: POST with `chunked` and duplicate transfer-encoding (lenient)', 'a request does not end with its connection'],
  ['request/transfer-encoding.md: Chunk header not terminated by CRLF (lenient)', 'a lone CR ends no line, also not leniently'],
  ['request/transfer-encoding.md: Chunk data not terminated by CRLF (lenient)', 'chunk data is followed by a line break: invalid_chunk'],
  ['response/content-length.md: Content-Length reset when no body is received', 'its caller skips the body, we read it'],
  ['response/finish.md: It should be safe to finish with cb after empty response', 'the end of the connection ends the body'],
  ['response/invalid.md: Bare CR after response line (lenient)', 'a lone CR ends no line, also not leniently'],
  ['response/sample.md: RTSP response', 'RTSP is not HTTP'],
  ['response/sample.md: ICE response', 'Icecast is not HTTP'],
  ['request/transfer-encoding.md: No extension after semicolon', 'nobody reads chunk extensions'],
  ['response/transfer-encoding.md: No extension after semicolon', 'nobody reads chunk extensions'],
]);

interface Seen {
  method: string;
  target: string;
  status: number;
  bodyBytes: number;
  complete: boolean;
}

function readOurs(example: LlhttpCase, cut: Cut): Message[] {
  const isRequest = example.type.startsWith('request');
  const steps: Step[] = isRequest ? [{ client: example.input }] : [{ server: example.input }];
  if (!isRequest && example.skipBody) steps.unshift({ client: 'HEAD / HTTP/1.1\r\n\r\n' });
  if (example.type.endsWith('finish')) steps.push({ end: isRequest ? 'client' : 'server' });
  const { recorder } = playInto(steps, { close: 'flushed', cut });
  if (isRequest) return recorder.exchanges.map(({ request }) => request);
  const paired = recorder.exchanges.flatMap(({ response }) => (response === null ? [] : [response]));
  return [...paired, ...recorder.orphans];
}

function seen({ head, body, outcome }: Message): Seen {
  const { method, target, status } = head;
  return { method, target, status, bodyBytes: body.bytes, complete: outcome === 'complete' };
}

const llhttp = messagesFolder('llhttp');
describe.skipIf(llhttp === null)('the messages of llhttp (skipped without DOUBLETAKE_MESSAGES)', () => {
  const examples = llhttp === null ? [] : readLlhttpCases(llhttp);

  it('are found', () => {
    expect(examples.length).toBeGreaterThan(240);
    const names = new Set(examples.map(({ name }) => name));
    for (const name of LLHTTP_DIFFERENCES.keys()) expect(names).toContain(name);
  });

  it.each(examples.filter(({ name, error }) => error === null && !LLHTTP_DIFFERENCES.has(name)))('$name', (example) => {
    const theirs = example.messages.filter(({ status }) => status === 0 || status === 101 || status >= 200);
    expect(readOurs(example, whole).map(seen)).toEqual(theirs);
    expect(readOurs(example, bytewise).map(seen)).toEqual(theirs);
  });

  // What Node refuses we may read, for production may have accepted it; but not as a sound message when it was refused
  // for how its body is framed.
  it.each(examples.filter(({ name, error }) => error !== null && !LLHTTP_DIFFERENCES.has(name)))('$name, refused', (example) => {
    const theirs = example.messages.filter(({ status }) => status === 0 || status === 101 || status >= 200);
    const ours = readOurs(example, whole);
    expect(readOurs(example, bytewise).map(seen)).toEqual(ours.map(seen));
    for (const [index, message] of theirs.entries()) {
      if (message.complete) expect(seen(ours[index])).toEqual(message);
      else expect(ours[index].ambiguity !== null || ours[index].outcome !== 'complete').toBe(true);
    }
  });
});

/** One line, with long targets cut. */
function printable(event: string): string {
  const text = event.replace(/(\S{40})\S+/, '$1…');
  return `  ${JSON.stringify(text).slice(1, -1)}`;
}

const libhtp = messagesFolder('libhtp');
describe.skipIf(libhtp === null)('the conversations of libhtp (skipped without DOUBLETAKE_MESSAGES)', () => {
  // libhtp keeps its expectations in C; ours are beside this file, a conversation a block, to be read by eye.
  it('give the exchanges that are written down, whole and byte by byte', async () => {
    const folder = libhtp ?? '';
    const read = (cut: Cut): string =>
      libhtpFiles(folder)
        .map((name) => {
          const steps = readLibhtpCase(join(folder, name)).map(({ from, bytes }): Step =>
            from === 'client' ? { client: bytes } : { server: bytes },
          );
          const events = play([...steps, { end: 'client' }, { end: 'server' }], { cut });
          return [name, ...events.map(printable)].join('\n');
        })
        .join('\n\n');
    const result = `${read(whole)}\n`;
    await expect(result).toMatchFileSnapshot('libhtp.expected.txt');
    expect(`${read(bytewise)}\n`).toBe(result);
  });
});
