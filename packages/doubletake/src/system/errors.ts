/**
 * Failures of the operating system, told to a person: which call on what failed, why, and what to do about it.
 * Callers branch on `code`, which is stable; `errnoName` is the system's own name for the reason.
 * The same table serves libc calls and Node's own sockets, so both kinds of source fail with the same words.
 */
import { getSystemErrorName } from 'node:util';
import { DoubletakeError } from '../errors.ts';

export type SystemErrorCode =
  | 'DT_SOURCE_PORT_IN_USE'
  | 'DT_SOURCE_PERMISSION'
  | 'DT_SOURCE_ADDRESS'
  | 'DT_SOURCE_DESCRIPTORS'
  | 'DT_SOURCE_INTERFACE'
  | 'DT_SOURCE_UNAVAILABLE'
  | 'DT_SOURCE_SYSTEM';

interface Explanation {
  code: SystemErrorCode;
  reason: string;
  advice: string;
}

const explanations: Readonly<Record<string, Explanation>> = {
  EADDRINUSE: {
    code: 'DT_SOURCE_PORT_IN_USE',
    reason: 'the port is in use',
    advice: 'stop the program that uses it (`ss -tulpn` shows which) or choose another port',
  },
  EACCES: {
    code: 'DT_SOURCE_PERMISSION',
    reason: 'permission denied',
    advice: 'choose a port above 1023, or grant CAP_NET_BIND_SERVICE',
  },
  EPERM: { code: 'DT_SOURCE_PERMISSION', reason: 'permission denied', advice: 'run as root or grant CAP_NET_ADMIN' },
  EADDRNOTAVAIL: {
    code: 'DT_SOURCE_ADDRESS',
    reason: 'this machine does not have the address',
    advice: 'listen on 0.0.0.0, on :: or on an address that `ip address` shows',
  },
  EAFNOSUPPORT: {
    code: 'DT_SOURCE_ADDRESS',
    reason: 'this machine does not have the address family',
    advice: 'IPv6 is switched off here: listen on an IPv4 address',
  },
  ENOMEM: {
    code: 'DT_SOURCE_SYSTEM',
    reason: 'the machine has not enough memory',
    advice: 'choose a smaller buffer or ring, or fewer workers',
  },
  EMFILE: {
    code: 'DT_SOURCE_DESCRIPTORS',
    reason: 'the process has too many open files',
    advice: 'raise the limit (`ulimit -n`, or LimitNOFILE of the service)',
  },
  ENFILE: {
    code: 'DT_SOURCE_DESCRIPTORS',
    reason: 'the machine has too many open files',
    advice: 'raise the sysctl fs.file-max',
  },
};

/** An operation that the operating system refused. The message is one line and complete. */
export class SystemError extends DoubletakeError<SystemErrorCode> {
  /** The system's name of the reason, such as `EADDRINUSE`; empty when it was not the system that refused. */
  readonly errnoName: string;

  constructor(code: SystemErrorCode, message: string, errnoName: string) {
    super(code, message);
    this.name = 'SystemError';
    this.errnoName = errnoName;
  }
}

/** The error for `what` (such as `cannot listen on UDP 0.0.0.0:4789`) that failed with this errno name. */
export function systemErrorFromName(what: string, errnoName: string): SystemError {
  const known = explanations[errnoName];
  if (known === undefined) return new SystemError('DT_SOURCE_SYSTEM', `${what}: ${errnoName}`, errnoName);
  return new SystemError(known.code, `${what}: ${known.reason} (${errnoName}); ${known.advice}`, errnoName);
}

/** The same for a positive errno number. */
export function systemErrorFromErrno(what: string, errno: number): SystemError {
  return systemErrorFromName(what, getSystemErrorName(-errno));
}
