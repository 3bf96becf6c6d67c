/**
 * What kind of thing an id belongs to, by the name under which it stands: `/orders/17`, `order_id`, `orderIds` and
 * `{"order":{"id":…}}` are all about an `order`.
 */

/** Members that say nothing about what is in them. */
const wrappers: ReadonlySet<string> = new Set([
  '', 'data', 'result', 'response', 'payload', 'content', 'record', 'entry', 'list', 'row', 'object', 'hit', 'value', 'embedded',
]);

/** Lower case, in the singular, without what separates its words; without `id` at its end. Empty for `id` alone. */
export function thingNamed(name: string): string {
  return singular(name.toLowerCase().replaceAll(/[^a-z0-9\u0080-\u00ff]/g, '')).replace(/(?:id|uuid|guid)$/, '');
}

/** In a list of orders, its `items` are the orders; in one order they are not. */
export function isWrapper(name: string, inList: boolean): boolean {
  const thing = thingNamed(name);
  return wrappers.has(thing) || (inList && thing === 'item');
}

/** What a request is about, by the last word of its path: `/shops/4/orders/17` about an `order`. */
export function thingOfTarget(target: string): string {
  const words = pathOf(target).split('/').filter((segment) => /^[A-Za-z][A-Za-z_-]*$/.test(segment));
  return thingNamed(words.at(-1) ?? '');
}

/** Path of a target, or of an absolute URL with what stands before it. */
export function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0];
}

function singular(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}
