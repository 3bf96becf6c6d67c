/**
 * Makes each order one of somebody else, by writing into its bytes; nothing is allocated. The mirror is not to look
 * cheaper than it is because the same person orders again and again: only what a client sends with all of its requests,
 * its session and its address, stays the same on a connection. Number 0 writes what stands in the text.
 */

interface Part {
  /** Ends with the characters that differ, which are `0`s or `a`s; stands in the text once. */
  text: string;
  length: number;
  /** So many values are drawn from, evenly. */
  values: number;
}

const partsOfRequest: readonly Part[] = [
  { text: 'Annabaaaa', length: 4, values: 1_000 },
  { text: 'Schmidtbaaaa', length: 4, values: 20_000 },
  { text: '+49 170 1000000', length: 6, values: 1_000_000 },
  { text: 'Hauptstraaaa', length: 4, values: 20_000 },
  { text: '"10000', length: 4, values: 5_000 },
  { text: 'Beraaa', length: 3, values: 2_000 },
];

const partsOfConnection: readonly Part[] = [
  { text: 'session=4f9d2c7ab1e04e000000', length: 6, values: 1_000_000 },
  { text: '198.51.100', length: 2, values: 100 },
  { text: '198.51.100.100', length: 2, values: 100 },
];

interface Place {
  offset: number;
  length: number;
  values: number;
  base: number;
  /** The character that stands for 0. */
  zero: number;
}

export class People {
  readonly #ofRequest: readonly Place[];
  readonly #ofConnection: readonly Place[];

  /** Parts that are not in the text are left out. */
  constructor(text: string) {
    this.#ofRequest = placesIn(text, partsOfRequest);
    this.#ofConnection = placesIn(text, partsOfConnection);
  }

  write(bytes: Buffer, request: number, connection: number): void {
    writeAll(bytes, this.#ofRequest, request);
    writeAll(bytes, this.#ofConnection, connection);
  }
}

function writeAll(bytes: Buffer, places: readonly Place[], number: number): void {
  for (let index = 0; index < places.length; index++) {
    const place = places[index];
    writeNumber(bytes, place, drawn(number, index) % place.values);
  }
}

function placesIn(text: string, parts: readonly Part[]): Place[] {
  return parts.flatMap(({ text: sample, length, values }) => {
    const start = text.indexOf(sample);
    if (start < 0) return [];
    const offset = start + sample.length - length;
    const zero = text.charCodeAt(offset);
    return [{ offset, length, values, base: zero === 48 ? 10 : 26, zero }];
  });
}

/** Numbers that follow each other come out far apart, differently for each part. */
function drawn(number: number, part: number): number {
  const product = Math.imul(number, 0x9e37_79b1 + 2 * part);
  return (product ^ (product >>> 15)) >>> 0;
}

function writeNumber(bytes: Buffer, { offset, length, base, zero }: Place, number: number): void {
  for (let at = offset + length - 1, rest = number; at >= offset; at--, rest = Math.floor(rest / base)) {
    bytes[at] = zero + (rest % base);
  }
}
