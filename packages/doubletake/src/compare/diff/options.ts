/** What the differ is told about an endpoint's answers. */

/** What a rule of the user says about the values at a path. */
export interface FieldRules {
  /** Nothing at or below the path is a difference. */
  ignore?: boolean;
  /** The array at the path is a set: the order of its elements means nothing. */
  unordered?: boolean;
  /** Member by which the objects of the array at the path are known: `sku`. */
  key?: string;
  /** Numbers are equal that are no further apart than this, */
  absoluteTolerance?: number;
  /** or than this share of the larger one. */
  relativeTolerance?: number;
}

/**
 * Options are resolved once: what `rules` says about a path is remembered for as long as the object lives. Share one
 * object between all endpoints that have the same rules.
 */
export interface DiffOptions {
  /** Asked with paths as they stand in `Difference.path`, once for each; undefined where no rule says anything. */
  rules?: (path: string) => FieldRules | undefined;
  /** Longest decoded body that is compared, bytes: 1 MiB. Longer ones by length and hash. */
  bodyBytesMax?: number;
  /** Differences that are listed, of one pair: 200. */
  differencesMax?: number;
  /**
   * Hosts (`shop.example`, `127.0.0.1:8080`) by which each version means itself: in `Location` and in the domains of
   * cookies they are one and the same.
   */
  ownHosts?: readonly string[];
}

export const BODY_BYTES_MAX = 1024 * 1024;
export const DIFFERENCES_MAX = 200;
