/**
 * How requests are changed for one target, as users write it. The configuration's schema (`config/rewrite-schema.ts`)
 * gives values of this shape. Texts may hold variables and, in `replace`, groups (`config/template.ts`).
 */
import type { Condition } from '../filter-options.ts';

/** The first match of an RE2 expression, and what takes its place. */
export interface RegexReplacement {
  regex: string;
  replace: string;
  prefix?: undefined;
}

/** Whole segments at the beginning of a path, and what takes their place. */
export interface PrefixReplacement {
  prefix: string;
  replace: string;
  regex?: undefined;
}

/** Done in this order: what `remove` names goes, `set` replaces the first of its name or adds it, `add` adds another. */
export interface NamedChanges {
  remove?: readonly string[] | undefined;
  set?: Readonly<Record<string, string>> | undefined;
  add?: Readonly<Record<string, string>> | undefined;
}

/** What happens to the values that a JSONPath (RFC 9535) names; what it does not find is not added. */
export type JsonEdit =
  | { path: string; set: string | number | boolean | null; remove?: undefined }
  | { path: string; remove: true; set?: undefined };

export interface RewriteRule {
  name: string;
  /** Looks at the request as it was captured. Absent, the rule is for every request. */
  when?: Condition | undefined;
  path?: PrefixReplacement | RegexReplacement | undefined;
  /** The Host that goes out. */
  host?: string | RegexReplacement | undefined;
  query?: NamedChanges | undefined;
  headers?: NamedChanges | undefined;
  json?: readonly JsonEdit[] | undefined;
}

/** The test environment's own credentials, of one kind. */
export type Credentials = {
  /** For every request, or for those that came with a credential in the same place. */
  when: 'always' | 'present';
} & (
  | { bearer: string; basic?: undefined; header?: undefined; cookie?: undefined }
  | { basic: { user: string; password: string }; bearer?: undefined; header?: undefined; cookie?: undefined }
  | { header: NamedText; bearer?: undefined; basic?: undefined; cookie?: undefined }
  | { cookie: NamedText; bearer?: undefined; basic?: undefined; header?: undefined }
);

export interface NamedText {
  name: string;
  value: string;
}

/** As it came, but for copies; other than production's where there is one; or the same and one for requests without. */
export type IdempotencyKeyMode = 'keep' | 'distinct' | 'always';

export interface RewriteOptions {
  rules: readonly RewriteRule[];
  credentials?: Credentials | undefined;
  idempotencyKey: IdempotencyKeyMode;
  /** Which copy of a request that is sent several times, from 0: each has Idempotency-Keys of its own. */
  copy: number;
  /** Networks of the proxies whose X-Forwarded-For is believed by conditions. */
  trustedProxies?: readonly string[] | undefined;
}
