/**
 * What share of the requests each target gets: the percentage in its configuration, where its ramp has got to, or what
 * was set by hand. Part of the main thread; the workers are told through `changed`.
 */
import type { TargetConfig } from '../config/schema.ts';
import { isDeepStrictEqual } from 'node:util';
import { DoubletakeError } from '../errors.ts';
import { quantile } from '../ledger/histogram.ts';
import { Ramp } from '../replay/ramp.ts';

export interface ShareEvents {
  /** A ramp went on or fell back: `share` from 0 to 1, and why in words. */
  changed(target: string, share: number, text: string): void;
  /** A ramp has something to say that changes nothing. */
  told(text: string): void;
}

/** What a target has done since the start. */
export interface TargetReading {
  /** Answered or failed. */
  requests: number;
  /** Failed, or answered with a 5xx. */
  errors: number;
  /** Answers by latency bucket (ledger/histogram.ts). */
  latencies: readonly number[];
  /** Of the queue's bound, from 0 to 1. */
  queueShare: number;
}

/** How a target's share stands: what it is, who decides on it, and where its ramp has got to. */
export interface ShareStanding {
  /** From 0 to 100. */
  percentage: number;
  by: 'hand' | 'ramp' | 'configuration';
  ramp: {
    /** From 0. */
    step: number;
    steps: { percentage: number; forMs: number | null }[];
    state: 'rising' | 'held' | 'backed_off' | 'done';
  } | null;
}

interface TargetShare {
  config: TargetConfig;
  ramp: Ramp | null;
  /** Set by hand where there is no ramp. */
  byHand: number | null;
  last: TargetReading;
}

const nothing: TargetReading = { requests: 0, errors: 0, latencies: [], queueShare: 0 };

export class Shares {
  readonly #events: ShareEvents;
  #targets: Map<string, TargetShare>;

  constructor(targets: readonly TargetConfig[], nowMs: number, events: ShareEvents) {
    this.#events = events;
    this.#targets = new Map(targets.map((config) => [config.name, begin(config, nowMs)]));
  }

  /** From 0 to 100; 0 for a target that there is not. */
  percentageOf(target: string): number {
    const share = this.#targets.get(target);
    return share === undefined ? 0 : (share.ramp?.percentage ?? share.byHand ?? share.config.percentage);
  }

  /** From 0 to 1, in the order of the targets. */
  all(): number[] {
    return [...this.#targets.keys()].map((name) => this.percentageOf(name) / 100);
  }

  /** How each target's share stands, by its name. */
  standings(): Record<string, ShareStanding> {
    return Object.fromEntries([...this.#targets].map(([name, share]) => [name, standingOf(share, this.percentageOf(name))]));
  }

  /**
   * Fixes a target's percentage; null lets its ramp, or its configuration, decide again. Returns the share from 0 to 1.
   * Throws a `DoubletakeError` for a target that there is not.
   */
  setByHand(target: string, percentage: number | null, nowMs: number): number {
    const share = this.#targets.get(target);
    if (share === undefined) {
      throw new DoubletakeError('DT_CONTROL', `there is no target ${target}; there is ${[...this.#targets.keys()].join(', ')}`);
    }
    if (share.ramp === null) share.byHand = percentage;
    else if (percentage === null) share.ramp.resume(nowMs);
    else share.ramp.setByHand(percentage, nowMs);
    return this.percentageOf(target) / 100;
  }

  /** Other targets hold from now on; a ramp that is the same goes on. Returns their shares, from 0 to 1. */
  replaceTargets(targets: readonly TargetConfig[], nowMs: number): number[] {
    this.#targets = new Map(
      targets.map((config) => {
        const before = this.#targets.get(config.name);
        const same =
          before !== undefined &&
          isDeepStrictEqual(before.config.ramp, config.ramp) &&
          before.config.percentage === config.percentage;
        return [config.name, same ? { ...before, config } : begin(config, nowMs, before?.last)];
      }),
    );
    return this.all();
  }

  /** Looks at what the targets did since the last call, and lets the ramps decide. */
  observe(read: (target: TargetConfig) => TargetReading, nowMs: number): void {
    for (const [name, share] of this.#targets) {
      const { ramp, last } = share;
      if (ramp === null) continue;
      const reading = read(share.config);
      share.last = reading;
      const change = ramp.observe({
        nowMs,
        requests: reading.requests - last.requests,
        errors: reading.errors - last.errors,
        p99Ms: quantile(reading.latencies.map((count, bucket) => count - (last.latencies[bucket] ?? 0)), 0.99),
        queueShare: reading.queueShare,
      });
      if (change === null) continue;
      const text = `target ${name}: ${change.reason}`;
      if (change.from === change.to) this.#events.told(text);
      else this.#events.changed(name, change.to / 100, `${text}; it gets ${change.to} % now`);
    }
  }
}

function begin(config: TargetConfig, nowMs: number, last = nothing): TargetShare {
  return { config, ramp: config.ramp === undefined ? null : new Ramp(config.ramp, nowMs), byHand: null, last };
}

function standingOf({ ramp, byHand }: TargetShare, percentage: number): ShareStanding {
  if (ramp === null) return { percentage, by: byHand === null ? 'configuration' : 'hand', ramp: null };
  const held = ramp.state === 'held';
  const state = held ? 'held' : ramp.state === 'done' ? 'done' : ramp.backedOff ? 'backed_off' : 'rising';
  const steps = ramp.steps.map(({ percentage: of, forMs }) => ({ percentage: of, forMs }));
  return { percentage, by: held ? 'hand' : 'ramp', ramp: { step: ramp.step, steps, state } };
}
