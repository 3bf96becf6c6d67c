/** A binary heap: of all that it holds the first by an order, without sorting the rest. */
export class Heap<T> {
  readonly #elements: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#elements.length;
  }

  get first(): T | undefined {
    return this.#elements[0];
  }

  push(element: T): void {
    const elements = this.#elements;
    let at = elements.push(element) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(element, elements[above])) break;
      elements[at] = elements[above];
      at = above;
    }
    elements[at] = element;
  }

  /** Takes the first one out. */
  take(): T | undefined {
    const elements = this.#elements;
    const [first] = elements;
    const last = elements.pop();
    if (last !== undefined && elements.length > 0) this.#sink(last);
    return first;
  }

  /** The first one has changed, and goes to where it belongs now. */
  resettleFirst(): void {
    const [first] = this.#elements;
    if (first !== undefined) this.#sink(first);
  }

  /** Puts an element where it belongs, from the first place on, which is free. */
  #sink(element: T): void {
    const elements = this.#elements;
    const { length } = elements;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && this.#isBefore(elements[child + 1], elements[child])) child++;
      if (!this.#isBefore(elements[child], element)) break;
      elements[at] = elements[child];
      at = child;
    }
    elements[at] = element;
  }
}
