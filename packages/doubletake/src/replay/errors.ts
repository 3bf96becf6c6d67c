/** What failures of connections are called: in `failed` results, and at start. */
import { DoubletakeError } from '../errors.ts';
import type { FailReason } from './target.ts';

/** No connection to the target could be made; the message is one line for the user. */
export class TargetUnreachableError extends DoubletakeError<'DT_TARGET_UNREACHABLE'> {
  override readonly name = 'TargetUnreachableError';

  constructor(message: string, options?: ErrorOptions) {
    super('DT_TARGET_UNREACHABLE', message, options);
  }
}

/** The target is one of production's servers; the message is one line for the user. */
export class TargetRefusedError extends DoubletakeError<'DT_TARGET_PRODUCTION'> {
  override readonly name = 'TargetRefusedError';

  constructor(message: string) {
    super('DT_TARGET_PRODUCTION', message);
  }
}

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed by the target',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EMFILE: 'too many open files in this process (raise the limit, or lower connectionsMax)',
  ENFILE: 'too many open files on this machine',
  EADDRNOTAVAIL: 'no local port or address left to connect from',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name lookup failed for now',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS is spoken there; is it an http:// URL?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no TLS is spoken there; is it an http:// URL?',
};

/** One line for an error of a socket, a handshake or a name lookup. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = TEXTS[errorCode(error)] ?? error.message;
  return text.split('\n', 1)[0] ?? text;
}

/** Which outcome an error on an established connection stands for: TLS that breaks is `protocol`, the rest `reset`. */
export function connectionFailReason(error: Error): FailReason {
  const code = errorCode(error);
  return code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') ? 'protocol' : 'reset';
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
