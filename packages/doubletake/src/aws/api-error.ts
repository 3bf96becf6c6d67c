/** What AWS's errors mean for us. Nothing of the request that failed is ever told: it is signed with credentials. */
import { visible } from '../visible.ts';

export type ErrorKind =
  /** Too many calls: the same one later. */
  | 'throttled'
  /** AWS, or the way to it, failed: the same call may work now. */
  | 'transient'
  /** The credentials may not do this. */
  | 'permission'
  /** There are no credentials, or they are not valid. */
  | 'credentials'
  /** Something that the call names is not there, perhaps not yet or not any more. */
  | 'not-found'
  /** There is no such host, as with a region that does not exist. */
  | 'unreachable'
  | 'refused';

export interface ApiError {
  kind: ErrorKind;
  /** AWS's own, such as `RequestLimitExceeded`. */
  code: string;
  /** One line, without anything secret. */
  message: string;
  /** The action that a policy has to allow, such as `ec2:CreateTags`, where AWS names it. */
  action: string | null;
}

const codes: Readonly<Partial<Record<ErrorKind, ReadonlySet<string>>>> = {
  throttled: new Set([
    'RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'ThrottledException', 'TooManyRequestsException',
    'RequestThrottled', 'RequestThrottledException', 'EC2ThrottledException', 'SlowDown', 'PriorRequestNotComplete',
  ]),
  permission: new Set(['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException', 'UnauthorizedException']),
  credentials: new Set([
    'CredentialsProviderError', 'TokenProviderError', 'ExpiredToken', 'ExpiredTokenException', 'InvalidClientTokenId', 'AuthFailure',
    'UnrecognizedClientException', 'SignatureDoesNotMatch', 'InvalidSignatureException', 'IncompleteSignature',
    'MissingAuthenticationToken', 'MissingAuthenticationTokenException', 'OptInRequired',
  ]),
  transient: new Set([
    'InternalError', 'InternalFailure', 'InternalServerError', 'ServerException', 'ServiceUnavailable',
    'ServiceUnavailableException', 'Unavailable', 'RequestTimeout', 'RequestTimeoutException',
    // A clock that is wrong: the SDK sets its own by the answer.
    'RequestExpired', 'RequestTimeTooSkewed',
    'TimeoutError', 'AbortError', 'NetworkingError', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'EAI_AGAIN',
  ]),
  unreachable: new Set(['ENOTFOUND']),
};
const notFound = /\.NotFound$|NotFound(?:Exception)?$|NonExistentQueue$/;

const messageCharsMax = 400;

export function readApiError(error: unknown): ApiError {
  const given = isRecord(error) ? error : {};
  const metadata = isRecord(given['$metadata']) ? given['$metadata'] : {};
  const status = Number(metadata['httpStatusCode'] ?? 0);
  const code = [given['Code'], given['code'], given['name']].find((value): value is string => typeof value === 'string' && value !== 'Error') ?? 'Error';
  const kind = kindOf(code, status);
  const text = error instanceof Error ? error.message : String(error);
  return { kind, code, message: plainMessage(text), action: kind === 'permission' ? actionIn(text) : null };
}

function kindOf(code: string, status: number): ErrorKind {
  const kinds: readonly ErrorKind[] = ['throttled', 'permission', 'credentials', 'transient', 'unreachable'];
  const known = kinds.find((kind) => codes[kind]?.has(code));
  if (known !== undefined) return known;
  if (status === 429) return 'throttled';
  if (status >= 500) return 'transient';
  return notFound.test(code) ? 'not-found' : 'refused';
}

/** Without line ends, access key ids and messages that only `sts decode-authorization-message` can read. */
function plainMessage(text: string): string {
  const known = text
    .replace(/Encoded authorization failure message:\s*\S+/g, '')
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '(an access key)')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const plain = visible(known);
  return plain.length > messageCharsMax ? `${plain.slice(0, messageCharsMax)}…` : plain;
}

function actionIn(text: string): string | null {
  return /not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)/.exec(text)?.[1] ?? null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
