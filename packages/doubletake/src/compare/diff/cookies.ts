/** Compares the cookies that two answers set (RFC 6265 section 4.1): by name, and each attribute by what it says. */
import { sameLifetime } from '../content/http-date.ts';
import { type Collector, textShown } from './collector.ts';
import type { FieldSide } from './header-field.ts';
import type { PathNode, PathTree } from './path-tree.ts';

interface Cookie {
  name: string;
  value: string;
  /** Names in lower case; without a value: empty. */
  attributes: Map<string, string>;
}

/** More Set-Cookie fields than browsers keep cookies of a site. */
const COOKIES_MAX = 200;
const ATTRIBUTES_MAX = 20;

export function compareCookies(a: FieldSide, b: FieldSide, paths: PathTree, out: Collector): void {
  const left = cookiesOf(a);
  const right = cookiesOf(b);
  for (const [name, cookie] of left) {
    const node = paths.root(`cookie:${name}`);
    const other = right.get(name);
    if (other === undefined) out.add('missing', node, node.path, textShown(cookie.value), null);
    else compareCookie({ ...a, cookie }, { ...b, cookie: other }, node, paths, out);
  }
  for (const [name, cookie] of right) {
    if (left.has(name)) continue;
    const node = paths.root(`cookie:${name}`);
    out.add('extra', node, node.path, null, textShown(cookie.value));
  }
}

/** A cookie that is set twice counts as it is set last, as in a browser. */
function cookiesOf({ values }: FieldSide): Map<string, Cookie> {
  return new Map(values.slice(0, COOKIES_MAX).map((value) => parse(value)).map((cookie) => [cookie.name, cookie]));
}

function parse(field: string): Cookie {
  const [pair, ...rest] = field.split(';', ATTRIBUTES_MAX + 1);
  const [name, value] = split(pair);
  return { name, value, attributes: new Map(rest.map(split).map(([key, text]) => [key.toLowerCase(), text])) };
}

function split(pair: string): [name: string, value: string] {
  const equals = pair.indexOf('=');
  return equals < 0 ? [pair.trim(), ''] : [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
}

type CookieSide = FieldSide & { cookie: Cookie };

function compareCookie(a: CookieSide, b: CookieSide, node: PathNode, paths: PathTree, out: Collector): void {
  if (node.rules.ignore === true) {
    out.hide(node, 'ignore');
    return;
  }
  out.compares(node);
  if (a.cookie.value !== b.cookie.value) {
    out.add('value', node, node.path, textShown(a.cookie.value), textShown(b.cookie.value));
  }
  for (const name of new Set([...a.cookie.attributes.keys(), ...b.cookie.attributes.keys()])) {
    const [left, right] = [a, b].map(({ cookie }) => cookie.attributes.get(name));
    if (name === '' || left === right || sameAttribute(name, a, b)) continue;
    const attribute = paths.root(`cookie:${a.cookie.name};${name}`);
    const kind = right === undefined ? 'missing' : left === undefined ? 'extra' : 'value';
    out.add(kind, attribute, attribute.path, shownAttribute(left), shownAttribute(right));
  }
}

function shownAttribute(value: string | undefined): ReturnType<typeof textShown> | null {
  return value === undefined ? null : textShown(value);
}

function sameAttribute(name: string, a: CookieSide, b: CookieSide): boolean {
  const [left, right] = [a.cookie.attributes.get(name), b.cookie.attributes.get(name)];
  if (left === undefined || right === undefined) return false;
  switch (name) {
    case 'expires':
      return sameLifetime(left, a.date, right, b.date);
    case 'domain':
      return domain(left, a.ownHosts) === domain(right, b.ownHosts);
    case 'path':
      return left === right;
    default:
      return left.toLowerCase() === right.toLowerCase();
  }
}

/** A cookie's domain has no port, and a dot before it means nothing. */
function domain(value: string, ownHosts: readonly string[]): string {
  const name = value.toLowerCase().replace(/^\./, '');
  return ownHosts.some((host) => host.replace(/:\d+$/, '') === name) ? '' : name;
}
