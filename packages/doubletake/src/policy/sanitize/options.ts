/** What the sanitizer can be told. The configuration's schema (`config/sanitize-schema.ts`) gives values of this shape. */

export type SanitizePreset = 'auth' | 'pii' | 'payment';

/** What happens to a value: taken out, starred, replaced by its keyed pseudonym, or left as it is. */
export type SanitizeAction = 'remove' | 'mask' | 'pseudonym' | 'keep';

/** One place and what happens to the values there; exactly one of the places is named. */
export interface SanitizeRule {
  name: string;
  /** Name of a header, in any case. */
  header?: string | undefined;
  /** Name of a cookie, as it is. */
  cookie?: string | undefined;
  /** Name of a query parameter, decoded. */
  query?: string | undefined;
  /** Path pattern whose `{}` segments are meant: `/users/{}/orders/**`. */
  path?: string | undefined;
  /** JSONPath into JSON bodies (see `json-path.ts` for what of RFC 9535 is understood). */
  json?: string | undefined;
  /** Name of a field of a form, url-encoded or multipart. */
  form?: string | undefined;
  /** Regular expression (RE2 syntax); its matches in any text value, wherever it stands, are meant. */
  text?: string | undefined;
  action: SanitizeAction;
}

export interface SanitizeOptions {
  presets: readonly SanitizePreset[];
  /** What the presets do to what they find. */
  presetAction: 'remove' | 'mask' | 'pseudonym';
  /** Tried in order before the presets; the first that fits decides. */
  rules: readonly SanitizeRule[];
  /** JWTs go out signed anew (HS256) after their claims are sanitized, or not at all. */
  jwt: 'resign' | 'remove';
  /** Signs JWTs; undefined derives a key from the pseudonym key. */
  jwtKey?: string | undefined;
  /** What becomes of a body that cannot be read: the request is blocked, or the body goes out as it is. */
  unreadableBodies: 'block' | 'pass';
  /** Larger bodies, before or after decompression, are not read. */
  bodyBytesMax: number;
}
