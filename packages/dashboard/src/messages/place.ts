/** Places in JSON documents as differences name them (docs/differences.md): `$.items[id=17].price`, `$['a name'][3]`. */

export type PlaceStep = { member: string } | { index: number } | { key: string; value: string };

const steps: readonly (readonly [RegExp, (match: RegExpExecArray) => PlaceStep])[] = [
  [/\.([A-Za-z_][\w-]*)/y, ([, member = '']) => ({ member })],
  [/\['((?:[^'\\]|\\.)*)'\]/y, ([, quoted = '']) => ({ member: quoted.replaceAll(/\\(.)/g, '$1') })],
  [/\[(\d+)\]/y, ([, index]) => ({ index: Number(index) })],
  // A value may hold brackets; it ends where the place ends or goes on.
  [/\[([^=\]]+)=(.*?)\](?=$|[.[])/sy, ([, key = '', value = '']) => ({ key, value })],
];

/** Null where it is no place in JSON, or was cut. */
export function parsedPlace(place: string): PlaceStep[] | null {
  if (!place.startsWith('$')) return null;
  const found: PlaceStep[] = [];
  let at = 1;
  while (at < place.length) {
    const start = at;
    for (const [pattern, make] of steps) {
      pattern.lastIndex = at;
      const match = pattern.exec(place);
      if (match === null) continue;
      found.push(make(match));
      at = pattern.lastIndex;
      break;
    }
    if (at === start) return null;
  }
  return found;
}
