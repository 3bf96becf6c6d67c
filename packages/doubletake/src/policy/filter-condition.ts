/** Compiles a condition into one function of a request; everything that can be prepared is prepared here. */
import type { Condition, NamedValue, OneOrMore, TextPattern } from './filter-options.ts';
import { presets } from './filter-presets.ts';
import { Networks } from './network.ts';
import { normalPathPattern } from './path-form.ts';
import type { RequestView } from './request-view.ts';
import { compileTexts, listOf, plainText, type TextKind, type TextMatcher } from './text-matcher.ts';

export type Predicate = (request: RequestView) => boolean;

const pathText: TextKind = { separator: '/', normalize: normalPathPattern };
const hostText: TextKind = { separator: '.', normalize: (pattern) => pattern.toLowerCase() };
const mediaTypeText: TextKind = { separator: '/', normalize: (pattern) => pattern.toLowerCase() };

/** What each key of a condition holds when it is there. */
type Values = { [Key in keyof Condition]-?: NonNullable<Condition[Key]> };

/** One entry a key: a condition that has a key holds only when what is compiled from its value does. */
const compilers: { readonly [Key in keyof Values]: (value: Values[Key]) => Predicate } = {
  method: (names) => {
    const methods = new Set(listOf(names));
    return ({ head }) => methods.has(head.method);
  },
  bodyBytes: ({ min = 0, max = Infinity }) => {
    return ({ exchange }) => exchange.request.body.bytes >= min && exchange.request.body.bytes <= max;
  },
  path: (patterns) => textPredicate(patterns, pathText, (request) => request.path),
  host: (patterns) => textPredicate(patterns, hostText, (request) => request.host),
  contentType: (patterns) => textPredicate(patterns, mediaTypeText, (request) => request.mediaType),
  client: (texts) => {
    const networks = new Networks(listOf(texts));
    return (request) => networks.contains(request.client);
  },
  header: ({ name, value }) => {
    const lower = name.toLowerCase();
    const matches = valueMatcher(value);
    return ({ head }) => {
      for (let index = head.indexOf(lower); index >= 0; index = head.indexOf(lower, index + 1)) {
        if (matches(head.value(index))) return true;
      }
      return false;
    };
  },
  cookie: ({ name, value }) => {
    const matches = valueMatcher(value);
    return (request) => request.someCookieValue(name, matches);
  },
  query: ({ name, value }) => {
    const matches = valueMatcher(value);
    return (request) => request.someQueryValue(name, matches);
  },
  preset: (names) => anyOf(listOf(names).map((name) => compileCondition(presets[name]))),
  not: (condition) => {
    const holds = compileCondition(condition);
    return (request) => !holds(request);
  },
  all: (conditions) => allOf(conditions.map(compileCondition)),
  any: (conditions) => anyOf(conditions.map(compileCondition)),
};

/** Throws when the condition holds a malformed pattern or network, which the configuration's schema refuses before. */
export function compileCondition(condition: Condition): Predicate {
  // The order above: what costs least is asked first.
  return allOf((Object.keys(compilers) as (keyof Condition)[]).flatMap((key) => compileKey(key, condition[key])));
}

function compileKey<Key extends keyof Values>(key: Key, value: Values[Key] | undefined): Predicate[] {
  return value === undefined ? [] : [compilers[key](value)];
}

function textPredicate(
  patterns: OneOrMore<TextPattern>,
  kind: TextKind,
  textOf: (request: RequestView) => string,
): Predicate {
  const matches = compileTexts(patterns, kind);
  return (request) => matches(textOf(request));
}

function valueMatcher(value: NamedValue['value']): TextMatcher {
  return value === undefined ? () => true : compileTexts(value, plainText);
}

function allOf(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (only !== undefined && predicates.length === 1) return only;
  return (request) => predicates.every((holds) => holds(request));
}

function anyOf(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (only !== undefined && predicates.length === 1) return only;
  return (request) => predicates.some((holds) => holds(request));
}
