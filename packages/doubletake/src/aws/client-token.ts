/** Client tokens, by which EC2 knows a call that it has done already (Amazon EC2 Developer Guide, "Ensuring idempotency"). */
import { createHash } from 'node:crypto';
import { clientTokenCharsMax } from '../aws-rules/limits.ts';

/**
 * The same for the same content, also in another process: so a call whose answer was lost makes nothing twice. AWS
 * remembers tokens also of what was deleted since, and would answer with that; `generation` makes another token then.
 */
export function clientToken(content: unknown, generation: number): string {
  return createHash('sha256').update(JSON.stringify([content, generation])).digest('hex').slice(0, clientTokenCharsMax);
}

/** Longer than AWS takes to list what was made, and so short that what was deleted is seldom made again within it. */
const generationMs = 30_000;

/** The generation of what is made at this time, in milliseconds since the epoch. */
export function generationAt(nowMs: number): number {
  return Math.floor(nowMs / generationMs);
}
