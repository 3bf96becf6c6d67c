/** How two answers differ, place by place. */

export type DifferenceKind =
  /** The status code. */
  | 'status'
  /** One side has no whole answer. */
  | 'failure'
  /** The same type, another value. */
  | 'value'
  /** Another JSON type (1 against "1"), another content type. */
  | 'type'
  /** The candidate lacks it. */
  | 'missing'
  /** Only the candidate has it. */
  | 'extra'
  /** Arrays of other lengths, aligned as far as they go. */
  | 'length'
  /** The same members in another order, where order means something. */
  | 'order'
  /** The body cannot be read as what it says it is, on one side. */
  | 'malformed';

export interface Difference {
  kind: DifferenceKind;
  /**
   * Where, with what varies from document to document left out: `status`, `header:cache-control`, `cookie:sid`,
   * `$.items[*].price`, `xml:/order/item/@id`, `form:name`, `text`, `body`. At most 512 characters.
   */
  path: string;
  /** The same with indexes and keys: `$.items[3].price`. */
  place: string;
  /** The values in short, as text: at most 256 characters each; null where there is none. */
  baseline: string | null;
  candidate: string | null;
  /** JSON type, or `text`, of each side; null where there is none. */
  baselineType: string | null;
  candidateType: string | null;
}

/** A difference beyond noise and rules, and what it belongs to. */
export interface ClusteredDifference extends Difference {
  /** Id of its cluster, as in the report unless endpoints are merged later; null when there was no room for another. */
  cluster: string | null;
}

/** Something that differs and that a rule of the user hides. */
export interface HiddenDifference {
  /** Path at which the rule stands; a value below it may be what differs. */
  path: string;
  by: 'ignore' | 'tolerance' | 'unordered';
}

/** All that differs between two answers. */
export interface Comparison {
  differences: Difference[];
  /** What rules hid. Bounded like `differences`. */
  hidden: HiddenDifference[];
  /** There were more than are listed. */
  truncated: boolean;
  /** What kept the bodies from being compared in full: `too_large`, `undecodable`, `malformed`, …; null for nothing. */
  limited: string | null;
  /**
   * Paths at which both sides had a value that could have differed; for rates per field. Bounded like `differences`.
   * Bodies that are the same bytes are not opened: nothing of them is listed, and every field in them agreed.
   */
  compared: readonly string[];
}
