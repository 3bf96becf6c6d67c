/**
 * Filter rules as users write them. The first rule that matches decides: an `exclude` rule filters the request under
 * its name, an `include` rule lets it pass. A request that no rule matches passes, unless there are include rules: then
 * it is filtered as `no_include_matched`.
 */

export type OneOrMore<T> = T | readonly T[];

/** A glob; or a beginning; or a regular expression (RE2), found anywhere unless it is anchored. */
export type TextPattern =
  | string
  | { prefix: string; regex?: undefined }
  | { regex: string; prefix?: undefined };

/** A named value: any of this name, whatever it holds, when no pattern is given. */
export interface NamedValue {
  name: string;
  value?: OneOrMore<TextPattern> | undefined;
}

export type PresetName = 'health-checks' | 'static-assets' | 'bots';

/** Holds when all that it names holds; where a key has a list, one of the list suffices. */
export interface Condition {
  all?: readonly Condition[] | undefined;
  any?: readonly Condition[] | undefined;
  not?: Condition | undefined;
  /** Compared exactly: methods are case-sensitive (RFC 9110 section 9.1). */
  method?: OneOrMore<string> | undefined;
  /** The path without the query, in the normal form of path-form.ts. In globs `*` stays within a segment. */
  path?: OneOrMore<TextPattern> | undefined;
  /** In lower case and without the port. In globs `*` stays within a label. */
  host?: OneOrMore<TextPattern> | undefined;
  /** Each field of this name is looked at by itself. */
  header?: NamedValue | undefined;
  cookie?: NamedValue | undefined;
  /** Names and values percent-decoded. */
  query?: NamedValue | undefined;
  /** Networks in CIDR notation; see client-address.ts for whose address it is. */
  client?: OneOrMore<string> | undefined;
  /** Length of the body without transfer coding, both ends included. */
  bodyBytes?: { min?: number | undefined; max?: number | undefined } | undefined;
  /** Media type without parameters, in lower case. In globs `*` stays on its side of the slash. */
  contentType?: OneOrMore<TextPattern> | undefined;
  preset?: OneOrMore<PresetName> | undefined;
}

export type FilterRule =
  | { name: string; exclude: Condition; include?: undefined }
  | { name: string; include: Condition; exclude?: undefined };
