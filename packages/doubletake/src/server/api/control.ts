/** What can be changed while it runs, by an operator: `/api/control`. Every change is logged with its time and who made it. */
import { z } from 'zod';
import { targetHealth } from './overview.ts';
import { isoTime } from './values.ts';

/** `GET /api/control`. */
export const control = z.object({
  replay: z.enum(['running', 'stopped']),
  targets: z.array(targetHealth),
});
export type Control = z.infer<typeof control>;

/** `POST /api/control/replay`: the kill switch, and back. */
export const replayChange = z.strictObject({ replay: z.enum(['running', 'stopped']) });
export type ReplayChange = z.infer<typeof replayChange>;

/** `POST /api/control/targets/{name}`: 0 turns a target off, null gives it back to its ramp or configuration. */
export const targetChange = z.strictObject({ percentage: z.number().min(0).max(100).nullable() });
export type TargetChange = z.infer<typeof targetChange>;

export const change = z.object({
  time: isoTime,
  who: z.string().describe('`operator 10.0.0.7`, `control socket`, `ramp`, `signal`.'),
  text: z.string(),
});
export type Change = z.infer<typeof change>;

/** What a change answers. */
export const changed = z.object({ change, tookMs: z.number() });
export type Changed = z.infer<typeof changed>;

/** `GET /api/changes`: the newest first, at most 1,000; each also comes as the event `change`. */
export const changeList = z.object({ changes: z.array(change) });
export type ChangeList = z.infer<typeof changeList>;
