/**
 * The least that a sample has of each endpoint: the first requests of an endpoint in each minute of capture time are
 * in it. Which these are does not depend on their keys, so each of them is in with probability 1, and the share of the
 * others is what it was.
 */
import { samplePoint } from './sample.ts';

const minuteUs = 60_000_000;

/** Endpoints counted by themselves in a minute; all beyond share one count. */
const endpointsMax = 10_000;

/** Sources differ in their time (a capture file is of another day), and requests end a little out of order. */
const minutesMax = 4;

interface Minute {
  number: number;
  /** Requests taken, by the hash of the endpoint: the endpoint itself would hold on to the head that it was cut from. */
  taken: Map<number, number>;
  takenOfOthers: number;
}

export class SampleFloor {
  readonly #perMinute: number;
  /** The one used last comes first. */
  readonly #minutes: Minute[] = [];

  /** `perMinute` is how many requests of each endpoint are taken in a minute. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Whether a request is one of the first of its endpoint in its minute; counts it. `timeUs` is its capture time. */
  takes(endpoint: string, timeUs: number): boolean {
    const minute = this.#minuteOf(timeUs);
    const hash = samplePoint('', endpoint);
    const taken = minute.taken.get(hash) ?? 0;
    if (taken === 0 && minute.taken.size >= endpointsMax) return minute.takenOfOthers++ < this.#perMinute;
    if (taken >= this.#perMinute) return false;
    minute.taken.set(hash, taken + 1);
    return true;
  }

  #minuteOf(timeUs: number): Minute {
    const number = Math.floor(timeUs / minuteUs);
    const latest = this.#minutes[0];
    if (latest?.number === number) return latest;
    const position = this.#minutes.findIndex((held) => held.number === number);
    const minute = this.#minutes[position] ?? { number, taken: new Map<number, number>(), takenOfOthers: 0 };
    if (position >= 0) this.#minutes.splice(position, 1);
    this.#minutes.unshift(minute);
    if (this.#minutes.length > minutesMax) this.#minutes.pop();
    return minute;
  }
}
