/**
 * HAR 1.2 of requests as the dashboard shows them: each as two entries, what the baseline answered and what the candidate
 * did, with whose answer it is in `comment`. Made of what is shown, so that nothing is in it that is not.
 */
import type { ShownMessage, ShownPair } from './api/clusters.ts';
import { version } from '../version.ts';

type Timing = ShownPair['timing']['baseline'];

export function harOf(pairs: readonly ShownPair[]): string {
  const entries = pairs.flatMap((pair) =>
    (['baseline', 'candidate'] as const).flatMap((side) => {
      const answer = pair[side];
      return answer === null ? [] : [entryOf(pair, side, answer, pair.timing[side])];
    }),
  );
  return `${JSON.stringify({ log: { version: '1.2', creator: { name: 'doubletake', version: version() }, pages: [], entries } }, null, 2)}\n`;
}

function entryOf(pair: ShownPair, side: string, answer: ShownMessage, timing: Timing): object {
  const waitMs = timing?.firstByteMs ?? 0;
  const receiveMs = Math.max(0, (timing?.totalMs ?? 0) - waitMs);
  const comment = pair.hidden === null ? `the ${side}'s answer` : `the ${side}'s answer; ${pair.hidden}`;
  return {
    startedDateTime: pair.time,
    time: waitMs + receiveMs,
    request: requestOf(pair),
    response: responseOf(answer),
    cache: {},
    timings: { send: 0, wait: waitMs, receive: receiveMs },
    comment,
    _id: pair.id,
  };
}

function requestOf({ method, target, request }: ShownPair): object {
  const host = headerOf(request, 'host') ?? 'unknown.invalid';
  const text = /^https?:\/\//i.test(target) ? target : `http://${host}${target}`;
  const url = URL.canParse(text) ? text : `http://unknown.invalid/`;
  const type = headerOf(request, 'content-type') ?? 'application/octet-stream';
  return {
    method,
    url,
    httpVersion: /(HTTP\/[\d.]+)$/.exec(request.start)?.[1] ?? 'HTTP/1.1',
    cookies: [],
    headers: headersOf(request),
    queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
    ...(request.body.text === null || request.body.bytes === 0 ? {} : { postData: { mimeType: type, text: request.body.text } }),
    headersSize: -1,
    bodySize: request.body.bytes,
  };
}

/** A failure is an answer with the status 0, as browsers write it. */
function responseOf(answer: ShownMessage): object {
  const status = /^\d{3}\b/.test(answer.start) ? Number(answer.start.slice(0, 3)) : 0;
  return {
    status,
    statusText: status === 0 ? answer.start : answer.start.slice(4),
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: headersOf(answer),
    content: {
      size: answer.body.bytes,
      mimeType: headerOf(answer, 'content-type') ?? 'x-unknown',
      ...(answer.body.text === null ? {} : { text: answer.body.text }),
      ...(answer.body.cut ? { comment: 'cut' } : {}),
    },
    redirectURL: headerOf(answer, 'location') ?? '',
    headersSize: -1,
    bodySize: answer.body.bytes,
  };
}

function headersOf({ headers }: ShownMessage): object[] {
  return headers.map(([name, value]) => ({ name, value }));
}

function headerOf({ headers }: ShownMessage, wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
