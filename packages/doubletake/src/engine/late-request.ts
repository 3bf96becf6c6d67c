/** A request whose last form is known only when it goes out, after the requests before it in its lane were answered. */
import type { OutgoingRequest } from '../replay/target.ts';

export class LateRequest implements OutgoingRequest {
  readonly length: number;
  readonly method: string;
  readonly lane: object | null;
  readonly timeUs: number;
  readonly probability: number;
  #bytes: Buffer[] | null = null;
  #write: (() => Buffer[]) | null;

  /** It is counted with the length of `early`, its form as of now; `write` is called once, or never. */
  constructor(early: OutgoingRequest, write: () => Buffer[]) {
    this.length = early.length;
    this.method = early.method;
    this.lane = early.lane;
    this.timeUs = early.timeUs;
    this.probability = early.probability;
    this.#write = write;
  }

  get bytes(): Buffer[] {
    if (this.#write !== null) {
      this.#bytes = this.#write();
      this.#write = null;
    }
    return this.#bytes ?? [];
  }
}
