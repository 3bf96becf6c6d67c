/** JSON values as a difference shows them: short, and no longer made than they are shown. */
import { JsonObject, type JsonValue } from '../content/json-values.ts';
import { ExactNumber } from '../content/json-number.ts';
import type { Shown } from './collector.ts';

/** Just beyond what is shown, so that what is cut is seen to be cut. */
const LENGTH_ENOUGH = 260;

export function typeOf(value: JsonValue): string {
  if (typeof value !== 'object') return typeof value;
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof ExactNumber) return 'number';
  return value instanceof JsonObject || value.text.startsWith('{') ? 'object' : 'array';
}

export function shown(value: JsonValue): Shown {
  return { text: typeof value === 'string' ? value : compact(value, LENGTH_ENOUGH), type: typeOf(value) };
}

/** JSON without whitespace; whatever stands behind `enough` characters may be left out. */
function compact(value: JsonValue, enough: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, enough));
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof JsonObject) {
    return list('{', '}', value.names, enough, (name, index, left) => {
      const head = `${JSON.stringify(name.slice(0, left))}:`;
      return head + compact(value.values[index], left - head.length);
    });
  }
  if (Array.isArray(value)) return list('[', ']', value, enough, (item, _, left) => compact(item, left));
  return value.text.slice(0, enough);
}

function list<T>(
  open: string,
  close: string,
  items: readonly T[],
  enough: number,
  write: (item: T, index: number, left: number) => string,
): string {
  let text = open;
  for (let i = 0; i < items.length && text.length < enough; i++) {
    if (i > 0) text += ',';
    text += write(items[i], i, Math.max(enough - text.length, 1));
  }
  return text + close;
}
