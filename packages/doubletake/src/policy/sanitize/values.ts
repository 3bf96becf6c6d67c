/**
 * Decides about one decoded value, wherever it stands: first the users' rules, then what its name says, then what is
 * inside it (JSON, URLs, percent-encoding, base64), then what it looks like. A value that is known by its name is
 * replaced as a whole; in other text only what matches is.
 */
import { RE2JS } from 're2js';
import { BASE64_MIN, base64Like, textInBase64 } from './base64.ts';
import { CleanTexts } from './clean-texts.ts';
import { JsonNames } from './json-names.ts';
import { bytesOf, JsonRewriter, type JsonValues, type Treatment, textOf } from './json.ts';
import { JwtSigner } from './jwt.ts';
import { KeyNames } from './keys.ts';
import type { SanitizeAction, SanitizeOptions, SanitizePreset, SanitizeRule } from './options.ts';
import { Pseudonyms } from './pseudonym.ts';
import { Has, holdsNothing, profileOf } from './text-profile.ts';
import { type MatchKind, TextScanner } from './text-scanner.ts';
import { decodePart, encodePart, isPairs, isPlainPath, isUrl, PAIR, rewritePairs, rewritePath, splitUrl } from './urlencoded.ts';

/** Encodings inside encodings are opened this many times; what lies deeper is starred. */
const DEPTH_MAX = 5;

const presetOfKind: Readonly<Record<MatchKind, SanitizePreset>> = {
  email: 'pii',
  phone: 'pii',
  iban: 'pii',
  national: 'pii',
  ipv4: 'pii',
  ipv6: 'pii',
  card: 'payment',
  track: 'payment',
  jwt: 'auth',
};

export type NamedPlace = 'header' | 'cookie' | 'query' | 'form';

export class Values implements JsonValues {
  readonly #presets: ReadonlySet<SanitizePreset>;
  readonly #presetAction: 'remove' | 'mask' | 'pseudonym';
  readonly #keys: KeyNames;
  readonly #scanner: TextScanner;
  readonly #patterns: readonly { pattern: RE2JS; action: SanitizeAction }[];
  readonly #named: Readonly<Record<NamedPlace, ReadonlyMap<string, SanitizeAction>>>;
  readonly #nested: JsonRewriter[] = [];
  readonly #jwt: JwtSigner | null;
  readonly #cleanNames = new CleanTexts();
  /** How many texts around the one that is looked at are rewritten part by part. */
  #wholes = 0;
  /** What was put into the outermost of them, so that it is not replaced again; null when nothing was. */
  #made: Set<string> | null = null;
  readonly #heard: ((value: string) => void) | null;
  readonly #kept: ((value: string) => boolean) | null;
  readonly names = new JsonNames();
  readonly plainStays: boolean;
  readonly pseudonyms: Pseudonyms;

  /** `made` hears of every value that is put in place of another; a value of which `kept` says so stays as it is. */
  constructor(
    options: SanitizeOptions,
    key: Buffer,
    made: ((value: string) => void) | null = null,
    kept: ((value: string) => boolean) | null = null,
  ) {
    this.#heard = made;
    this.#kept = kept;
    this.#presets = new Set(options.presets);
    this.#presetAction = options.presetAction;
    this.#keys = new KeyNames(options.presets);
    this.pseudonyms = new Pseudonyms(key);
    this.#jwt = options.jwt === 'resign' ? new JwtSigner(options.jwtKey, key) : null;
    this.#patterns = options.rules.flatMap(({ text, action }) =>
      text === undefined ? [] : [{ pattern: RE2JS.compile(text), action }],
    );
    this.plainStays = this.#patterns.length === 0;
    this.#named = {
      header: byName(options.rules, (rule) => rule.header?.toLowerCase()),
      cookie: byName(options.rules, (rule) => rule.cookie),
      query: byName(options.rules, (rule) => rule.query),
      form: byName(options.rules, (rule) => rule.form),
    };
    this.#scanner = new TextScanner({
      wants: (kind) => this.#presets.has(presetOfKind[kind]) || (kind === 'jwt' && this.#presets.size > 0),
      replace: (kind, match) =>
        this.#made?.has(match) === true || this.#kept?.(match) === true ? match : this.#note(this.#match(kind, match)),
    });
  }

  /** Whether somebody hears of every value that is put in place of another. */
  get isHeard(): boolean {
    return this.#heard !== null;
  }

  has(preset: SanitizePreset): boolean {
    return this.#presets.has(preset);
  }

  /** What a rule, or else the name, says about a value in this place. */
  treatmentIn(place: NamedPlace, name: string): Treatment {
    return this.ruleFor(place, name) ?? this.treatmentOf(name);
  }

  ruleFor(place: NamedPlace, name: string): SanitizeAction | null {
    return this.#named[place].get(name) ?? null;
  }

  treatmentOf(name: string): Treatment {
    return this.#keys.presetOf(name);
  }

  removes(treatment: Treatment): boolean {
    return this.#actionOf(treatment) === 'remove';
  }

  number(text: string, treatment: Treatment): string {
    const changed = treatment === null ? this.#scanner.scan(this.#applyPatterns(text)) : this.#apply(text, treatment);
    return changed === text || /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(changed) ? changed : '0';
  }

  value(text: string, treatment: Treatment, depth: number): string {
    if (treatment === 'keep') return text;
    return treatment === null ? this.text(text, depth) : this.#apply(text, treatment);
  }

  /** Text without a name, or with one that says nothing. `products`: see `TextScanner`. */
  text(text: string, depth: number, products = false): string {
    const ruled = this.plainStays ? text : this.#applyPatterns(text);
    return this.#looked(ruled, profileOf(ruled), depth, products);
  }

  profiled(text: string, profile: number, depth: number): string {
    return this.plainStays ? this.#looked(text, profile, depth, false) : this.text(text, depth);
  }

  #looked(text: string, profile: number, depth: number, products: boolean): string {
    if (text.length < 2 || holdsNothing(profile, text.length)) return text;
    return this.#inside(text, profile, depth) ?? this.#scanner.scan(text, products, profile);
  }

  /** The name of a value, which may hold data itself. */
  nameText(name: string, depth: number): string {
    if (this.#cleanNames.has(name)) return name;
    const rewritten = this.text(name, depth);
    if (rewritten === name) this.#cleanNames.add(name);
    return rewritten;
  }

  /** A URL or request target in latin1: its path, query and fragment. */
  url(source: string, depth: number, segment?: (text: string, index: number) => string): string {
    const { before, path, query, fragment } = splitUrl(source);
    const newBefore = before.includes('@') ? bytesOf(this.text(textOf(before), depth + 1)) : before;
    const plain = segment === undefined && this.plainStays && isPlainPath(path);
    const newPath = plain
      ? path
      : rewritePath(
          path,
          segment ?? ((text) => this.text(text, depth + 1)),
          (parameters) => this.pairs(parameters, 'query', false, depth),
        );
    return newBefore + newPath + this.#marked(query, depth) + this.#marked(fragment, depth);
  }

  /** Pairs of a query or form in latin1. */
  pairs(source: string, place: 'query' | 'form', plus: boolean, depth: number): string {
    return rewritePairs(source, plus, {
      pair: (name, value) => {
        const treatment = this.treatmentIn(place, name);
        return this.removes(treatment) ? null : this.value(value, treatment, depth + 1);
      },
      text: (text) => this.nameText(text, depth + 1),
      treats: (name) => this.treatmentIn(place, name) !== null,
    });
  }

  /** A query with its question mark, a fragment with its number sign. */
  #marked(part: string, depth: number): string {
    if (part.length < 2) return part;
    const rewritten = this.pairs(part.slice(1), 'query', true, depth);
    return part[0] + rewritten;
  }

  /** Rewrites text that holds other text in a known encoding; null when it does not. */
  #inside(text: string, profile: number, depth: number): string | null {
    const first = text.charCodeAt(0);
    if (depth > DEPTH_MAX) return '*'.repeat(text.length);
    if ((profile & Has.bracket) !== 0 && /^\s*[{[]/.test(text)) {
      const source = Buffer.from(text);
      const rewritten = this.#json(source, depth);
      if (rewritten !== null) return rewritten === source ? text : rewritten.toString();
    }
    if (isPairs(text, first, profile)) return this.#whole(text, profile, (source) => this.pairs(source, 'query', true, depth + 1));
    if (isUrl(text, first, profile)) return this.#whole(text, profile, (source) => this.url(source, depth + 1));
    const pair = (profile & Has.equals) === 0 ? null : PAIR.exec(text);
    if (pair !== null) {
      const [, name, value] = pair;
      const treatment = this.treatmentOf(name);
      const encoded = (profile & Has.percent) !== 0;
      if (treatment !== null && encoded) return textOf(this.pairs(bytesOf(text), 'query', false, depth + 1));
      if (treatment !== null) return `${name}=${this.value(value, treatment, depth + 1)}`;
    }
    if ((profile & Has.percent) !== 0 && /%[0-9a-f]{2}|%u[0-9a-f]{4}/i.test(text)) {
      const decoded = decodePart(bytesOf(text), false);
      const rewritten = this.text(decoded, depth + 1);
      if (rewritten !== decoded) return encodePart(rewritten, false);
      return null;
    }
    return text.length >= BASE64_MIN ? this.#base64(text, profile, depth) : null;
  }

  /** Text whose parts are rewritten, then looked through: what stands across their borders is only seen in the whole. */
  #whole(text: string, profile: number, rewrite: (source: string) => string): string {
    const source = bytesOf(text);
    this.#wholes++;
    try {
      const rewritten = rewrite(source);
      return rewritten === source ? this.#scanner.scan(text, false, profile) : this.#scanner.scan(textOf(rewritten));
    } finally {
      if (--this.#wholes === 0) this.#made = null;
    }
  }

  #json(source: Buffer, depth: number): Buffer | null {
    const rewriter = (this.#nested[depth] ??= new JsonRewriter(this, []));
    return rewriter.rewrite(source, depth + 1);
  }

  /** Base64 of text, standing alone or in a data URL (RFC 2397). */
  #base64(text: string, profile: number, depth: number): string | null {
    const start = (profile & Has.colon) !== 0 && text.startsWith('data:') ? text.indexOf(';base64,') + 8 : 0;
    if (start === 7 || (start === 0 && (profile & Has.notBase64) !== 0)) return null;
    const decoded = textInBase64(text, start);
    if (decoded === null) return null;
    const rewritten = this.text(decoded, depth + 1);
    return rewritten === decoded ? null : text.slice(0, start) + base64Like(text.slice(start), rewritten);
  }

  #applyPatterns(text: string): string {
    let result = text;
    for (const { pattern, action } of this.#patterns) {
      const matcher = pattern.matcher(result);
      let out = '';
      let copied = 0;
      while (matcher.find()) {
        const start = matcher.start();
        const end = matcher.end();
        if (end === start) continue;
        out += result.slice(copied, start) + this.#apply(result.slice(start, end), action);
        copied = end;
      }
      if (copied > 0) result = out + result.slice(copied);
    }
    return result;
  }

  #actionOf(treatment: Treatment): SanitizeAction | null {
    if (treatment === 'auth' || treatment === 'pii' || treatment === 'payment') return this.#presetAction;
    return treatment;
  }

  #apply(text: string, treatment: Treatment): string {
    if (this.#kept?.(text) === true) return text;
    switch (this.#actionOf(treatment)) {
      case 'remove':
        return '';
      case 'mask':
        return '*'.repeat(text.length);
      case 'pseudonym':
        return this.#pseudonym(text);
      default:
        return text;
    }
  }

  #pseudonym(text: string): string {
    const signed = text.startsWith('eyJ') && text.includes('.') ? this.#signed(text) : null;
    return this.#note(signed ?? this.pseudonyms.of(text));
  }

  #note(made: string): string {
    if (this.#wholes > 0) (this.#made ??= new Set()).add(made);
    this.#heard?.(made);
    return made;
  }

  #match(kind: MatchKind, match: string): string {
    if (this.#presetAction !== 'pseudonym') return this.#apply(match, presetOfKind[kind]);
    switch (kind) {
      case 'email':
        return match.includes(':') ? this.pseudonyms.email(match.slice(match.indexOf(':') + 1)) : this.pseudonyms.email(match);
      case 'card':
        return this.pseudonyms.card(match);
      case 'iban':
        return this.pseudonyms.iban(match);
      case 'ipv4':
        return this.pseudonyms.ipv4(match);
      case 'ipv6':
        return this.pseudonyms.ipv6(match);
      case 'jwt':
        return this.#signed(match) ?? this.pseudonyms.of(match);
      default:
        return this.pseudonyms.of(match);
    }
  }

  /** A JWT with its claims sanitized; empty when JWTs are to go; null when it is none. */
  #signed(token: string): string | null {
    if (this.#jwt === null) return '';
    // A reader of their own: those of the documents around the token are in the middle of them.
    return this.#jwt.sign(token, (claims) => new JsonRewriter(this, []).rewrite(claims, DEPTH_MAX - 1));
  }
}

/** Rules of one place by the name they give; the first of a name counts. */
function byName(
  rules: readonly SanitizeRule[],
  nameOf: (rule: SanitizeRule) => string | undefined,
): ReadonlyMap<string, SanitizeAction> {
  const actions = new Map<string, SanitizeAction>();
  for (const rule of rules) {
    const name = nameOf(rule);
    if (name !== undefined && !actions.has(name)) actions.set(name, rule.action);
  }
  return actions;
}
