/**
 * JSON (RFC 8259) read so that it can be compared: numbers stay exact, members keep their order, and what other readers
 * pass over in silence (a name given twice, half a surrogate pair, NaN) is told. One pass, and no deeper than
 * `DEPTH_MAX`: what is nested deeper is kept as text.
 */
import { JsonReader } from './json-reader.ts';
import { Malformed } from './json-scanner.ts';
import type { JsonDocument, JsonValue, NotJson } from './json-values.ts';

/**
 * Reads one value with whitespace around it. A name that an object has twice counts with its last value.
 *
 * A document that is much like an `earlier` one is read faster: names that are to be expected are passed without making
 * strings of them, and objects with the same text at corresponding places are the very same objects.
 */
export function parseJson(text: string, earlier: JsonDocument | null): JsonDocument | NotJson {
  return guarded(new JsonReader(text, earlier), (reader) => reader.whole());
}

/** Reads values that follow each other, each on a line of its own (NDJSON) or behind a record separator (RFC 7464). */
export function parseJsonLines(text: string, earlier: JsonDocument | null): JsonDocument | NotJson {
  return guarded(new JsonReader(text, earlier), (reader) => reader.sequence());
}

function guarded(reader: JsonReader, read: (reader: JsonReader) => JsonValue): JsonDocument | NotJson {
  try {
    const value = read(reader);
    return { text: reader.text, value, flaws: [...reader.flaws], shape: reader.shape };
  } catch (error) {
    if (error instanceof Malformed) return { at: reader.at };
    throw error;
  }
}
