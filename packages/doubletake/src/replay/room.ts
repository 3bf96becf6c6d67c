/**
 * Tells sources that can wait when to: room ends when the queue is half full and returns when it is a quarter full, so
 * that they do not stop and go with every request.
 */
const ENDS = 0.5;
const RETURNS = 0.25;

export class Room {
  readonly #requestsMax: number;
  readonly #bytesMax: number;
  #free = true;
  #waiters: (() => void)[] = [];

  /** The bounds of the queue. */
  constructor(requestsMax: number, bytesMax: number) {
    this.#requestsMax = requestsMax;
    this.#bytesMax = bytesMax;
  }

  get free(): boolean {
    return this.#free;
  }

  /** What the queue holds now. */
  update(requests: number, bytes: number): void {
    const share = this.#free ? ENDS : RETURNS;
    const fits = requests <= this.#requestsMax * share && bytes <= this.#bytesMax * share;
    if (fits === this.#free) return;
    this.#free = fits;
    if (fits) this.wake();
  }

  /** Resolves when there is room, or at `wake`. */
  wait(): Promise<void> {
    if (this.#free) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
