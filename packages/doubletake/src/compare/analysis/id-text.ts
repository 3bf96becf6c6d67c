/**
 * Puts ids in place of others in request targets, URLs, forms and JSON. Only texts are looked at, so that all but the
 * ids stays byte for byte what it was; and each place is looked at once, however many ids there are.
 */
import { isWrapper, thingNamed, thingOfTarget } from './id-names.ts';

/** The id that takes the place of `value`; `thing` says what the place is about. Null: the value stays. */
export type IdLookup = (value: string, thing: () => string) => string | null;

export interface IdContext {
  /** What `id` alone belongs to where nothing nearer says so. */
  thing: string;
  /** The document lists such things: `items` are they. */
  isList: boolean;
  /** A number may become a text where its new id is none. */
  retype: boolean;
}

const bodyBytesMax = 1_048_576;
/** Documents that are nested more deeply stay as they are. */
const depthMax = 200;

/** A target, or any other URL, with its ids replaced. */
export function withIdsInTarget(target: string, lookup: IdLookup): string {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const segments = path.split('/');
  const rewritten = segments
    .map((segment, index) => lookup(segment, () => thingNamed(segments[index - 1] ?? '')) ?? segment)
    .join('/');
  return question < 0 ? rewritten : `${rewritten}?${withIdsInForm(target.slice(question + 1), thingOfTarget(path), lookup)}`;
}

/** JSON or a form with its ids replaced; anything else, and what is longer than 1 MiB, comes back as it is. */
export function withIdsInBody(body: Buffer, context: IdContext, lookup: IdLookup): Buffer {
  if (body.length === 0 || body.length > bodyBytesMax) return body;
  const text = body.toString('latin1');
  let rewritten = text;
  if (/^\s*[[{]/.test(text)) rewritten = withIdsInJson(text, context, lookup);
  else if (/^[^=&\s]+=\S*$/.test(text)) rewritten = withIdsInForm(text, context.thing, lookup);
  return rewritten === text ? body : Buffer.from(rewritten, 'latin1');
}

function withIdsInForm(form: string, thing: string, lookup: IdLookup): string {
  const parameters = form.split('&').map((parameter) => {
    const equals = parameter.indexOf('=');
    if (equals < 0) return parameter;
    const name = parameter.slice(0, equals);
    const value = parameter.slice(equals + 1);
    return `${name}=${lookup(value, () => thingNamed(name) || thing) ?? value}`;
  });
  return parameters.join('&');
}

/** Strings, also one without an end, signs, and everything else up to the next of them. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}[\],:]|[^\s"{}[\],:]+/gs;
const WHOLE_NUMBER = /^(?:0|-?[1-9]\d*)$/;

interface Level {
  isObject: boolean;
  /** Member that it is the value of; that of its array for an element. */
  name: string;
}

function withIdsInJson(text: string, context: IdContext, lookup: IdLookup): string {
  const levels: Level[] = [];
  let out = '';
  let copied = 0;
  let key = '';
  let expectsKey = false;
  const nameHere = (): string => {
    const level = levels.at(-1);
    return level === undefined || level.isObject ? key : level.name;
  };
  const thingHere = (): string => {
    const own = thingNamed(nameHere());
    if (own !== '') return own;
    const around = levels.findLast(({ isObject, name }) => isObject && !isWrapper(name, context.isList));
    return around === undefined ? context.thing : thingNamed(around.name);
  };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    switch (token) {
      case '{':
      case '[':
        if (levels.length >= depthMax) return text;
        levels.push({ isObject: token === '{', name: nameHere() });
        expectsKey = token === '{';
        continue;
      case '}':
      case ']':
        levels.pop();
        continue;
      case ',':
        expectsKey = levels.at(-1)?.isObject ?? false;
        continue;
      case ':':
        expectsKey = false;
        continue;
      default:
    }
    const quoted = token.startsWith('"');
    const value = quoted ? token.slice(1, token.length > 1 && token.endsWith('"') ? -1 : undefined) : token;
    if (expectsKey) {
      key = value;
      continue;
    }
    if (!quoted && !WHOLE_NUMBER.test(token)) continue;
    const next = quoted && value.includes('/') ? withIdsInTarget(value, lookup) : (lookup(value, thingHere) ?? value);
    if (next === value) continue;
    const fits = quoted || WHOLE_NUMBER.test(next);
    if (!fits && !context.retype) continue;
    const start = index + (quoted ? 1 : 0);
    out += text.slice(copied, start) + (fits ? next : `"${next}"`);
    copied = start + value.length;
  }
  return out + text.slice(copied);
}
