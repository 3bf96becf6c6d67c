/** The order of a table's rows, as it stands in the address: `pairs` upwards, `-pairs` downwards. */

export type SortValue = number | string | null;

export interface Sort {
  key: string;
  down: boolean;
}

export function parsedSort(text: string): Sort | null {
  if (text === '' || text === '-') return null;
  return text.startsWith('-') ? { key: text.slice(1), down: true } : { key: text, down: false };
}

/** The rows in order of what `valueOf` says of them; what has no value comes last, whichever way it goes. Stable. */
export function sortedBy<Row>(rows: readonly Row[], valueOf: (row: Row) => SortValue, down: boolean): Row[] {
  const keyed = rows.map((row) => ({ row, value: valueOf(row) }));
  const way = down ? -1 : 1;
  keyed.sort(({ value: a }, { value: b }) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return way * (typeof a === 'string' || typeof b === 'string' ? String(a).localeCompare(String(b), 'en') : a - b);
  });
  return keyed.map(({ row }) => row);
}

/** What a click on a column makes of the order: the way that shows most first, then the other, then none. */
export function nextSort(sort: Sort | null, key: string, firstDown: boolean): string {
  if (sort?.key !== key) return firstDown ? `-${key}` : key;
  if (sort.down === firstDown) return firstDown ? key : `-${key}`;
  return '';
}
