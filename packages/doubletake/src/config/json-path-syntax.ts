/** What a JSONPath (RFC 9535) says, as json-path-parser.ts reads it and `policy/json-path/` evaluates it. */
import type { RE2JS } from 're2js';

export interface JsonPathQuery {
  /** Starts at the root (`$`), not at the node that a filter looks at (`@`). */
  absolute: boolean;
  segments: readonly Segment[];
}

export interface Segment {
  descendant: boolean;
  selectors: readonly Selector[];
}

export type Selector =
  | { kind: 'name'; name: string }
  | { kind: 'index'; index: number }
  /** Bounds that were not given are null. */
  | { kind: 'slice'; start: number | null; end: number | null; step: number }
  | { kind: 'wildcard' }
  | { kind: 'filter'; condition: Condition };

/** An expression that is true or false. */
export type Condition =
  | { kind: 'or' | 'and'; operands: readonly Condition[] }
  | { kind: 'not'; operand: Condition }
  | { kind: 'exists'; query: JsonPathQuery }
  | { kind: 'compare'; operator: Operator; left: Comparable; right: Comparable }
  /** `match` asks for the whole text, `search` for a part. `compiled` is there when the pattern is a literal. */
  | { kind: 'match' | 'search'; text: Comparable; pattern: Comparable; compiled: RE2JS | null };

export type Operator = '==' | '!=' | '<=' | '>=' | '<' | '>';

/** An expression with one value or none; a `query` here names at most one node. */
export type Comparable =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'query'; query: JsonPathQuery }
  | { kind: 'length'; of: Comparable }
  | { kind: 'count' | 'value'; of: JsonPathQuery };
