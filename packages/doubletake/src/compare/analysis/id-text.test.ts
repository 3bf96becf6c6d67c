import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type IdContext, type IdLookup, withIdsInBody } from './id-text.ts';

/** Orders and parcels have other ids; those of parcels are texts. */
const lookup: IdLookup = (value, thing) => {
  if (/^[12]$/.test(value) && thing() === 'order') return `${value}00`;
  return value === '2' && thing() === 'parcel' ? 'two' : null;
};

const things: Readonly<Record<string, string>> = {
  order: 'order', orders: 'order', orderId: 'order', order_ids: 'order', Parcel_ID: 'parcel', parcels: 'parcel', total: 'total', 'a"\\n': 'an',
};

/** The thing that a value belongs to, by the names that lead to it from the outside to the inside. */
function thingAt(names: readonly string[], context: IdContext): string {
  for (const [index, name] of names.toReversed().entries()) {
    const isWrapper = name === 'data' || (name === 'items' && context.isList);
    if (name === 'id' || (index > 0 && isWrapper)) continue;
    return things[name] ?? (name === 'items' ? 'item' : name);
  }
  return context.thing;
}

function mapped(value: unknown, names: readonly string[], context: IdContext): unknown {
  if (Array.isArray(value)) return value.map((item) => mapped(item, names, context));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapped(member, [...names, name], context)]));
  }
  const next = lookup(String(value), () => thingAt(names, context));
  if (next === null) return value;
  if (typeof value === 'string') return next;
  if (/^\d+$/.test(next)) return Number(next);
  return context.retype ? next : value;
}

const name = fc.constantFrom(...Object.keys(things), 'id', 'data', 'items');
const { document } = fc.letrec((tie) => ({
  document: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(1, 2, 3, 1.5, -2, '1', '2', 'ab"1', '\\', null, true),
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(name, tie('document'), { maxKeys: 4 }),
  ),
}));
const context = fc.record({ thing: fc.constantFrom('order', 'parcel', ''), isList: fc.boolean(), retype: fc.boolean() });

test('JSON comes out as from a walk through the parsed document, however it is written', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(document), fc.dictionary(name, document)), context, fc.constantFrom(0, 1, '\t'), (value, options, indent) => {
      const body = withIdsInBody(Buffer.from(JSON.stringify(value, null, indent)), options, lookup);
      expect(JSON.parse(body.toString())).toEqual(mapped(value, [], options));
    }),
    { numRuns: 500 },
  );
});

test('whatever the bytes, what has no id stays the same buffer', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      const body = Buffer.from(text);
      expect(withIdsInBody(body, { thing: 'order', isList: true, retype: true }, () => null)).toBe(body);
    }),
  );
});
