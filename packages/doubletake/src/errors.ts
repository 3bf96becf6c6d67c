/**
 * An error that the user can act on: `code` is stable and documented in docs/errors.md, `message` is one line that says
 * what was wrong, where, and what to do.
 */
export class DoubletakeError extends Error {
  override name = 'DoubletakeError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether an error is one that the user can act on. */
export function isUserError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('DT_');
}
