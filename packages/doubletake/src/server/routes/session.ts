/** Who is asking: `/api/session`. */
import { version } from '../../version.ts';
import type { Visitor } from '../access/gate.ts';
import type { DashboardBackend } from '../api/backend.ts';
import { login, type Session, session } from '../api/session.ts';
import { type Route, route, type Services } from './route.ts';

export function sessionRoutes({ backend, gate }: Services): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/session',
      summary: 'Who is asking, and what they may do',
      access: 'anybody',
      answer: session,
      run: ({ visitor }) => sessionOf(visitor.role, gate.open, backend),
    }),
    route({
      method: 'POST',
      path: '/api/session',
      summary: 'Log in: sets the cookie for who has a token',
      access: 'anybody',
      body: login,
      answer: session,
      run({ body, request, setCookie }) {
        const { role, cookie } = gate.login(body.token, request);
        if (cookie !== null) setCookie(cookie);
        return sessionOf(role, gate.open, backend);
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/session',
      summary: 'Log out: ends the session and takes the cookie back',
      access: 'anybody',
      answer: session,
      run({ request, setCookie }) {
        setCookie(gate.logout(request));
        return sessionOf(gate.open ? 'operator' : null, gate.open, backend);
      },
    }),
  ];
}

function sessionOf(role: Visitor['role'], open: boolean, { mode }: DashboardBackend): Session {
  return { role, open, version: role === null ? '' : version(), mode };
}
