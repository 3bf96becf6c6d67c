/**
 * What can become of a request. A request that was seen ends in exactly one of these, so the sums add up
 * (docs/accounting.md). The list is closed but for the filters, whose outcomes are named after the user's rules.
 */
/** Why a message is not whole. */
export type IncompleteReason =
  /** Bytes of it were never seen. */
  | 'gap'
  /** The mirror cut the packet that held it. */
  | 'truncated'
  /** The connection ended inside it. */
  | 'closed'
  /** The capture ended or a time limit passed inside it. */
  | 'timeout';

/** Why a request was not sent although it should have been. */
export type DropReason =
  | 'queue_full'
  | 'rate_limited'
  | 'circuit_open'
  | 'too_large'
  | 'shutdown'
  /** There is no target, and it could not be written to the recording. */
  | 'not_recorded';

/** Why a request that was sent got no whole answer. */
export type FailReason = 'connect' | 'timeout' | 'reset' | 'protocol';

/** Guards that keep a request from being replayed. */
export type Guard =
  /** The framing could mean different requests to different servers. */
  | 'ambiguous_framing'
  /** CONNECT would make the target open a tunnel. */
  | 'connect'
  /** Replay is stopped by hand. */
  | 'kill_switch'
  /** It already carries X-Doubletake-Id: our own traffic came round. */
  | 'loop'
  /** The method is not among those allowed. */
  | 'method'
  /** The target is a production server, as listed or as seen in the mirrored traffic. */
  | 'production'
  /** A rule rewrites its body, which cannot be read. */
  | 'unrewritable'
  /** What must not leave the process could not be taken out: the body cannot be read. */
  | 'unsanitizable'
  /** WebSocket and other upgrades are not replayed. */
  | 'upgrade';

const incompleteReasons: readonly IncompleteReason[] = ['gap', 'truncated', 'closed', 'timeout'];
const dropReasons: readonly DropReason[] = [
  'queue_full',
  'rate_limited',
  'circuit_open',
  'too_large',
  'shutdown',
  'not_recorded',
];
const failReasons: readonly FailReason[] = ['connect', 'timeout', 'reset', 'protocol'];
const guards: readonly Guard[] = [
  'ambiguous_framing',
  'connect',
  'kill_switch',
  'loop',
  'method',
  'production',
  'unrewritable',
  'unsanitizable',
  'upgrade',
];

/** Named after the rule that kept the request from being replayed. */
export type FilterOutcome = `filtered.${string}`;

/** Outcomes that the policy decides; the others come from the wire. */
export type PolicyOutcome = 'sampled_out' | FilterOutcome | `blocked.${Guard}`;

export type Outcome =
  | 'replayed'
  /** There is no target: it was written to the recording, which was all that was asked. */
  | 'recorded'
  | 'sampled_out'
  | FilterOutcome
  | `blocked.${Guard}`
  | `dropped.${DropReason}`
  | `failed.${FailReason}`
  | `incomplete.${IncompleteReason}`;

/** Every outcome but those of filters; `blocked.loop` is printed as `blocked: { loop: n }`. */
export const outcomes: readonly Outcome[] = [
  'replayed',
  'recorded',
  'sampled_out',
  ...guards.map((guard) => `blocked.${guard}` as const),
  ...dropReasons.map((reason) => `dropped.${reason}` as const),
  ...failReasons.map((reason) => `failed.${reason}` as const),
  ...incompleteReasons.map((reason) => `incomplete.${reason}` as const),
];

/** An outcome's place in the ledger: `['blocked', 'loop']`. The name of a rule may hold dots. */
export function outcomePath(outcome: Outcome): string[] {
  const dot = outcome.indexOf('.');
  return dot < 0 ? [outcome] : [outcome.slice(0, dot), outcome.slice(dot + 1)];
}

/** How far a request came, for the best of several targets' outcomes: answered, sent, dropped, blocked, not wanted. */
const ranks: Readonly<Record<string, number>> = { replayed: 5, recorded: 5, failed: 4, dropped: 3, blocked: 2, sampled_out: 1 };

export function outcomeRank(outcome: Outcome): number {
  return ranks[outcomePath(outcome)[0] ?? ''] ?? 0;
}
