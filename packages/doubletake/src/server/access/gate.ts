/**
 * Decides on every request before anything else looks at it: is it for this dashboard, does a page of another site send
 * it, who asks, and may they.
 */
import type { IncomingMessage } from 'node:http';
import type { Role } from '../api/session.ts';
import { Refusal } from '../refusal.ts';
import { FailureLimit } from './failure-limit.ts';
import { KnownHosts } from './known-hosts.ts';
import { isCrossOrigin } from './same-origin.ts';
import { type LiveSession, sessionMs, Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** Who asks; the session is null for who needs none or sends the token with each request. */
export interface Visitor {
  role: Role | null;
  session: LiveSession | null;
}

export interface GateOptions {
  /** Null: everybody who gets here may do everything. */
  tokens: Tokens | null;
  /** The address or name listened on. */
  listen: string;
  /** Other names by which it is called. */
  hosts: readonly string[];
  secure: boolean;
}

export class Gate {
  readonly #tokens: Tokens | null;
  readonly #secure: boolean;
  readonly #hosts: KnownHosts;
  readonly #sessions = new Sessions();
  readonly #failures = new FailureLimit();

  constructor({ tokens, listen, hosts, secure }: GateOptions) {
    this.#tokens = tokens;
    this.#secure = secure;
    this.#hosts = new KnownHosts(listen, hosts);
  }

  /** Everybody who gets here may do everything. */
  get open(): boolean {
    return this.#tokens === null;
  }

  /** Throws a `Refusal` for what is not meant for this dashboard. */
  checkHost({ headers }: IncomingMessage): void {
    if (!this.#hosts.knows(headers.host)) {
      throw new Refusal(421, 'DT_HOST_UNKNOWN', 'the dashboard is not known by this name; list it in dashboard.hosts of the configuration', { suspicious: true });
    }
  }

  /** Throws a `Refusal` for what a page of another site sends; a link to the page itself may stand anywhere. */
  checkOrigin({ headers }: IncomingMessage): void {
    if (isCrossOrigin(headers)) throw new Refusal(403, 'DT_CROSS_ORIGIN', 'a page of another site may not call this', { suspicious: true });
  }

  /** Who asks. Throws a `Refusal` for a token that is wrong. */
  visitor(request: IncomingMessage): Visitor {
    if (this.#tokens === null) return { role: 'operator', session: null };
    const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return { role: this.#roleOf(bearer, addressOf(request)), session: null };
    const id = this.#sessionId(request);
    const session = id === null ? null : this.#sessions.find(id, performance.now());
    return { role: session?.role ?? null, session };
  }

  /** Begins a session for who has the token; the value of Set-Cookie, null where none is needed. */
  login(token: string, request: IncomingMessage): { role: Role; cookie: string | null } {
    if (this.#tokens === null) return { role: 'operator', cookie: null };
    const role = this.#roleOf(token, addressOf(request));
    return { role, cookie: this.#cookieOf(request, this.#sessions.open(role, performance.now()), sessionMs / 1_000) };
  }

  /** Ends the session of the request; the value of Set-Cookie that takes the cookie back. */
  logout(request: IncomingMessage): string {
    const id = this.#sessionId(request);
    if (id !== null) this.#sessions.close(id);
    return this.#cookieOf(request, '', 0);
  }

  #roleOf(token: string, address: string): Role {
    const nowMs = performance.now();
    const waitS = Math.ceil(this.#failures.waitMs(address, nowMs) / 1_000);
    if (waitS > 0) throw new Refusal(429, 'DT_TOO_MANY_FAILURES', `too many wrong tokens; try again in ${waitS} s`, { retryAfterS: waitS, suspicious: true });
    const role = this.#tokens?.roleOf(token) ?? null;
    if (role !== null) return role;
    this.#failures.failed(address, nowMs);
    throw new Refusal(401, 'DT_UNAUTHORIZED', 'this token is wrong', { suspicious: true });
  }

  #sessionId(request: IncomingMessage): string | null {
    const name = this.#cookieName(request);
    for (const pair of (request.headers.cookie ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
    return null;
  }

  /** Browsers do not tell ports apart; and take a cookie of the prefix only by https and from this host itself. */
  #cookieName({ socket }: IncomingMessage): string {
    return `${this.#secure ? '__Host-' : ''}doubletake_${socket.localPort}`;
  }

  #cookieOf(request: IncomingMessage, id: string, maxAgeS: number): string {
    return `${this.#cookieName(request)}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${this.#secure ? '; Secure' : ''}`;
  }
}

/** Of the client's end of the connection; nothing that a header says. */
export function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/i, '');
}
