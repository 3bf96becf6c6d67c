/** What the HTTP API says no to: an error with its status, told as `{error, code}`. */
import { DoubletakeError } from '../errors.ts';

export class Refusal extends DoubletakeError {
  readonly status: number;
  /** When it may be tried again; null where that makes no difference. */
  readonly retryAfterS: number | null;
  /** Somebody may mean harm: the log hears of it. */
  readonly suspicious: boolean;

  constructor(
    status: number,
    code: string,
    text: string,
    { retryAfterS = null, suspicious = false }: { retryAfterS?: number | null; suspicious?: boolean } = {},
  ) {
    super(code, text);
    this.status = status;
    this.retryAfterS = retryAfterS;
    this.suspicious = suspicious;
  }
}

/** Statuses of the errors that a backend rejects with; others are 409: they say why it cannot be done. */
const statuses: Readonly<Record<string, number>> = { DT_NOT_FOUND: 404, DT_BUSY: 503 };

/** The status of an error that a backend rejected with. */
export function statusOf(error: DoubletakeError): number {
  return error instanceof Refusal ? error.status : (statuses[error.code] ?? 409);
}
