/** JSON values as they are compared. */
import type { ExactNumber } from './json-number.ts';

/** What is nested deeper is kept as text. */
export const DEPTH_MAX = 200;

/** Names of more members are looked up in a map. */
export const FEW_MEMBERS = 12;

export type JsonValue = string | number | boolean | null | ExactNumber | JsonObject | Unread | JsonValue[];

export class JsonObject {
  /** One and the same array for objects with the same names in the same order, where that was cheap to find out. */
  readonly names: readonly string[];
  readonly values: readonly JsonValue[];
  /** Where it stands in the text that it was read from. */
  readonly start: number;
  readonly end: number;

  constructor(names: readonly string[], values: readonly JsonValue[], start: number, end: number) {
    this.names = names;
    this.values = values;
    this.start = start;
    this.end = end;
  }

  /** The value of a member, if it is found without much searching. */
  likely(name: string, position: number): JsonValue | undefined {
    if (this.names[position] === name) return this.values[position];
    return this.names.length <= FEW_MEMBERS ? this.values[this.names.indexOf(name)] : undefined;
  }
}

/** An object or array that is nested too deeply, as text. */
export class Unread {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a text has that no JSON should, and that is read nevertheless; or that kept it from being read in full. */
export type JsonFlaw = 'duplicate_names' | 'lone_surrogate' | 'not_a_number' | 'too_deep';

export interface JsonDocument {
  text: string;
  value: JsonValue;
  /** In no order, each once. */
  flaws: readonly JsonFlaw[];
  shape: Shape;
}

/** Where a text stops being JSON, counted in UTF-16 code units. */
export interface NotJson {
  at: number;
}

/** The names that objects had, by place. */
export class Shape {
  /** Of the last object that stood here, itself or in arrays. None of them was written with an escape. */
  names: readonly string[] = [];
  readonly members: Shape[] = [];
}
