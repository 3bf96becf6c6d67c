/**
 * Requests and connections for end-to-end tests, one line each, and the usual pair of a recording target and a mirror.
 *
 *     const { target, mirror } = await mirrorToRecorder();
 *     await mirror.send(exchanges('10.0.2.5:41000', [get('/a'), post('/b', 'body')]));
 *     expect(requestLines(target)).toEqual(['GET /a', 'POST /b']);
 */
import type { Socket } from 'node:net';
import { conversation, type ConversationOptions, type ConversationPacket, type Turn } from './conversation.ts';
import { type RecordedRequest, type RecordingTarget, recordingTarget, type RunningMirror, startMirror } from './mirror.ts';

export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** `headers` are whole lines with their line ends. */
export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${headers}\r\n`;
}

export function post(path: string, body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nHost: shop.example\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** A whole connection of the client at `endpoint`, in which each request is answered with `ok` before the next. */
export function exchanges(
  endpoint: string,
  requests: readonly (string | Buffer)[],
  options: ConversationOptions = {},
): ConversationPacket[] {
  const turns = requests.flatMap((request): Turn[] => [{ client: request }, { server: ok }]);
  return conversation({ client: endpoint, ...options }, turns);
}

/** Address and port of the n-th client, each different. */
export function client(index: number): string {
  return `10.1.${(index >>> 8) & 255}.${index & 255}:${20_000 + (index >>> 16)}`;
}

/** Method and target of each request that arrived, in order of arrival. */
export function requestLines(target: RecordingTarget): string[] {
  return target.requests.map(requestLine);
}

export function requestLine(request: RecordedRequest): string {
  return request.head.split(' ', 2).join(' ');
}

/** A mirror of every method to a target that records; `answer` as in `recordingTarget`. */
export async function mirrorToRecorder(
  args: readonly string[] = [],
  answer?: (socket: Socket, request: RecordedRequest) => void,
): Promise<{ target: RecordingTarget; mirror: RunningMirror }> {
  const target = await recordingTarget(answer);
  const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url, '--methods', 'all', ...args]);
  return { target, mirror };
}
