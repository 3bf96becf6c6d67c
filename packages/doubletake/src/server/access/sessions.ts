/**
 * Who has given a token, by the random id in their cookie. Ids are kept hashed; sessions end after half a day, or when
 * a thousand newer ones are there. Time comes in as an argument.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '../api/session.ts';

const sessionsMax = 1_000;

/** How long a session lasts. */
export const sessionMs = 12 * 3_600_000;

export interface LiveSession {
  role: Role;
  endsAtMs: number;
}

export class Sessions {
  /** By hash of the id, the oldest first. */
  readonly #sessions = new Map<string, LiveSession>();

  /** Begins one; returns its id. */
  open(role: Role, nowMs: number): string {
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(keyOf(id), { role, endsAtMs: nowMs + sessionMs });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > sessionsMax && oldest !== undefined) this.#sessions.delete(oldest);
    return id;
  }

  find(id: string, nowMs: number): LiveSession | null {
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    if (session.endsAtMs > nowMs) return session;
    this.#sessions.delete(key);
    return null;
  }

  /** Ends it, also for those who found it before. */
  close(id: string): void {
    const session = this.#sessions.get(keyOf(id));
    if (session !== undefined) session.endsAtMs = 0;
    this.#sessions.delete(keyOf(id));
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
