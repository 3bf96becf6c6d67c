/**
 * An error that the user can act on: `code` is stable and documented in docs/errors.md, `message` is one line that says
 * what was wrong, where, and what to do.
 */
export class DoubletakeError<Code extends string = string> extends Error {
  override name = 'DoubletakeError';
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
