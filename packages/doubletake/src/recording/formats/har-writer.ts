/** Writes HAR 1.2, as DevTools of browsers and other programs open it. */
import { isUtf8 } from 'node:buffer';
import type { MessageHead } from '../../http/head.ts';
import { headOf } from '../../policy/message-edit.ts';
import { codingsOf, tryToOpenBody } from '../../policy/sanitize/content-coding.ts';
import { version } from '../../version.ts';
import { recordedContent } from '../exchange-form.ts';
import type { RecordedExchange, RecordedMessage } from '../recorded-exchange.ts';
import { bodyBytesMax } from './exchange-parser.ts';
import { notWhole, type TrafficEncoder } from './traffic-encoder.ts';

interface Pair {
  name: string;
  value: string;
}

export class HarEncoder implements TrafficEncoder {
  #first = true;

  begin(): Buffer {
    const creator = JSON.stringify({ name: 'doubletake', version: version() });
    return Buffer.from(`{"log":{"version":"1.2","creator":${creator},"pages":[],"entries":[`);
  }

  encode(exchange: RecordedExchange): Buffer[] | string {
    const problem = notWhole(exchange);
    if (problem !== null) return problem;
    const entry = entryOf(exchange);
    if (typeof entry === 'string') return entry;
    const comma = this.#first ? '\n' : ',\n';
    this.#first = false;
    return [Buffer.from(`${comma}${JSON.stringify(entry)}`)];
  }

  end(): Buffer {
    return Buffer.from('\n]}}\n');
  }
}

function entryOf({ connection, request, response }: RecordedExchange): object | string {
  const head = headOf('request', request.head)?.head;
  if (head === undefined) return 'the head of the request cannot be read';
  const url = urlOf(head, connection.server);
  if (url === null) return `${head.target} with this Host makes no URL that a HAR can hold`;
  const answer = response === null ? null : (headOf('response', response.head)?.head ?? null);
  const startUs = request.startUs;
  const sendMs = milliseconds(request.endUs - startUs);
  const waitMs = response === null ? 0 : milliseconds(response.startUs - request.endUs);
  const receiveMs = response === null ? 0 : milliseconds(response.endUs - response.startUs);
  const known = connection.server.port > 0;
  return {
    startedDateTime: new Date(Math.floor(startUs / 1_000)).toISOString(),
    time: sendMs + waitMs + receiveMs,
    request: requestOf(head, url, request),
    response: answer === null || response === null ? noResponse(head) : responseOf(answer, response),
    cache: {},
    timings: { send: sendMs, wait: waitMs, receive: receiveMs },
    ...(known ? { serverIPAddress: connection.server.address, connection: connection.key } : {}),
    _startedUs: startUs,
  };
}

function requestOf(head: MessageHead, url: string, message: RecordedMessage): object {
  const body = recordedContent(message, head);
  const type = head.get('content-type') ?? '';
  return {
    method: head.method,
    url,
    httpVersion: head.version,
    cookies: head.all('cookie').flatMap((text) => text.split(';').flatMap(cookiePair)),
    headers: fieldsOf(head),
    queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
    ...(body === null || body.length === 0 ? {} : { postData: { mimeType: type, ...textOf(body, '_encoding') } }),
    headersSize: message.head.length,
    bodySize: message.bodyBytes,
  };
}

function responseOf(head: MessageHead, message: RecordedMessage): object {
  const body = recordedContent(message, head);
  const plain = body === null ? null : opened(body, head);
  return {
    status: head.status,
    statusText: head.reason,
    httpVersion: head.version,
    cookies: head.all('set-cookie').flatMap((text) => cookiePair(text.split(';')[0] ?? '')),
    headers: fieldsOf(head),
    content: {
      size: plain?.length ?? message.bodyBytes,
      mimeType: head.get('content-type') ?? 'x-unknown',
      ...(plain === null || plain.length === 0 ? {} : textOf(plain, 'encoding')),
    },
    redirectURL: head.get('location') ?? '',
    headersSize: message.head.length,
    bodySize: message.bodyBytes,
  };
}

/** What browsers write for a request that got no answer. */
function noResponse({ version: httpVersion }: MessageHead): object {
  const content = { size: 0, mimeType: 'x-unknown' };
  return { status: 0, statusText: '', httpVersion, cookies: [], headers: [], content, redirectURL: '', headersSize: -1, bodySize: -1 };
}

/**
 * Where the client asked, as it wrote it: by the Host or the absolute form of the target, else at the server's address.
 * Bytes that no URL has are percent-encoded. Null for what is no URL of a HAR, as `OPTIONS *`, and a target with a fragment,
 * which would be cut off.
 */
function urlOf(head: MessageHead, { address, port }: RecordedExchange['connection']['server']): string | null {
  const target = head.target.replace(/[^!-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  if (target.includes('#')) return null;
  const absolute = /^https?:\/\//i.test(target);
  if (!absolute && !target.startsWith('/')) return null;
  const host = head.get('host') ?? `${address.includes(':') ? `[${address}]` : address}${port === 0 ? '' : `:${port}`}`;
  const text = absolute ? target : `http://${host}${target}`;
  return URL.canParse(text) ? text : null;
}

/** Without its content codings where they can be undone, as readers of HAR expect. */
function opened(body: Buffer, head: MessageHead): Buffer {
  const codings = codingsOf(head.all('content-encoding'));
  if (codings === null || codings.length === 0) return body;
  const open = tryToOpenBody(body, codings, bodyBytesMax);
  return typeof open === 'string' ? body : open;
}

function textOf(body: Buffer, encoding: string): object {
  return isUtf8(body) ? { text: body.toString('utf8') } : { text: body.toString('base64'), [encoding]: 'base64' };
}

function fieldsOf(head: MessageHead): Pair[] {
  return Array.from({ length: head.count }, (_, field) => ({ name: head.name(field), value: head.value(field) }));
}

function cookiePair(text: string): Pair[] {
  const equals = text.indexOf('=');
  return equals < 0 ? [] : [{ name: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() }];
}

function milliseconds(us: number): number {
  return Math.max(0, us) / 1_000;
}
