/** Tokens by which the dashboard knows readers and operators. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type DashboardConfig, tokenCharsMin } from '../../config/dashboard-schema.ts';
import { DoubletakeError } from '../../errors.ts';
import type { Role } from '../api/session.ts';

export class Tokens {
  readonly #operator: Buffer | null;
  readonly #reader: Buffer | null;

  constructor({ operator, reader }: { operator: string | null; reader: string | null }) {
    this.#operator = operator === null ? null : digest(operator);
    this.#reader = reader === null ? null : digest(reader);
  }

  /** What the bearer of `token` may do; null for a wrong one. Takes the same time for every token of the same length. */
  roleOf(token: string): Role | null {
    const given = digest(token);
    const isOperator = this.#operator !== null && timingSafeEqual(given, this.#operator);
    const isReader = this.#reader !== null && timingSafeEqual(given, this.#reader);
    return isOperator ? 'operator' : isReader ? 'reader' : null;
  }
}

/** A token that nobody can guess: 192 bits. */
export function generateToken(): string {
  return randomBytes(24).toString('base64url');
}

/** The tokens of the configuration, null where there is none. Throws a `DoubletakeError` when a file holds none. */
export function configuredTokens(config: DashboardConfig): { operator: string | null; reader: string | null } {
  const operator = config.operatorToken ?? readToken(config.operatorTokenFile);
  const reader = config.readerToken ?? readToken(config.readerTokenFile);
  if (operator !== null && operator === reader) {
    throw new DoubletakeError('DT_DASHBOARD_TOKEN', 'the reader\'s token is the operator\'s; give readers one of their own');
  }
  return { operator, reader };
}

function readToken(file: string | undefined): string | null {
  if (file === undefined) return null;
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new DoubletakeError('DT_DASHBOARD_TOKEN', `cannot read the token in ${file}: ${(error as Error).message}`, { cause: error });
  }
  if (token.length < tokenCharsMin || !/^[!-~]+$/.test(token)) {
    throw new DoubletakeError('DT_DASHBOARD_TOKEN', `${file}: expected a token of at least ${tokenCharsMin} characters of ASCII, without spaces`);
  }
  return token;
}

/** Of equal length for all, as the comparison needs it. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
