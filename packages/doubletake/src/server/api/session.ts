/** Who is asking, and what they may do. */
import { z } from 'zod';

/** A reader sees everything, an operator may also change things. */
export const role = z.enum(['reader', 'operator']);
export type Role = z.infer<typeof role>;

/** `GET /api/session`; answered to everybody. */
export const session = z.object({
  role: role.nullable().describe('Null: a token is needed, POST it to /api/session.'),
  open: z.boolean().describe('No token is asked for here: there is no logging in or out.'),
  version: z.string().describe('Of doubletake; empty without a role.'),
  mode: z.enum(['live', 'finished']).describe('`finished`: the dashboard shows a run that has ended, and nothing can be controlled.'),
});
export type Session = z.infer<typeof session>;

/** `POST /api/session`: sets the cookie. 401 for a wrong token, 429 after too many. */
export const login = z.strictObject({ token: z.string().min(1).max(1_000) });
export type Login = z.infer<typeof login>;
