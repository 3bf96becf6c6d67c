/**
 * A table of any length: only the rows in sight are in the document. Rows are links; with the keyboard one goes up and
 * down between them, and follows one with Enter. On a narrow screen each row is a card.
 */
import './table.css';
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Link } from '../navigation/link.tsx';
import { Icon } from './icon.tsx';
import { nextSort, parsedSort, sortedBy, type SortValue } from './sorting.ts';

/** What the page's header and the table's own cover of the window. */
const headersPx = 100;

export interface Column<Row> {
  key: string;
  title: string;
  /** Track of a CSS grid. */
  width: string;
  numeric?: boolean;
  /** Absent: it cannot be sorted by. */
  sortValue?: (row: Row) => SortValue;
  cell: (row: Row) => ReactNode;
}

interface TableProps<Row> {
  /** What it is a table of. */
  label: string;
  /** The first is the row's header, and its link. */
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  hrefOf: (row: Row) => string;
  /** As in the address; empty: as the rows come. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** A guess at a row's height. */
  rowPx: number;
  /** Told when the last rows come in sight. */
  onEnd?: () => void;
}

export function Table<Row>({ label, columns, rows, keyOf, hrefOf, sort = '', onSort, rowPx, onEnd }: TableProps<Row>): ReactNode {
  const order = parsedSort(sort);
  const shown = useMemo(() => {
    const by = parsedSort(sort);
    const valueOf = columns.find(({ key }) => key === by?.key)?.sortValue;
    return by === null || valueOf === undefined ? rows : sortedBy(rows, valueOf, by.down);
  }, [rows, columns, sort]);

  const body = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void => setAbove(Math.round((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY));
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(document.body);
    return () => resized.disconnect();
  }, []);

  const [active, setActive] = useState<number | null>(null);
  const goTo = useRef<number | null>(null);
  const virtualizer = useWindowVirtualizer({
    count: shown.length,
    estimateSize: () => rowPx,
    overscan: 6,
    scrollMargin: above,
    scrollPaddingStart: headersPx,
    scrollPaddingEnd: 72,
    getItemKey: (index) => keyOf(shown[index]),
    // The row that has the focus stays, or the focus would be lost when it leaves the window.
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (active === null || active >= shown.length || indexes.includes(active)) return indexes;
      return [...indexes, active].toSorted((a, b) => a - b);
    },
  });
  const items = virtualizer.getVirtualItems();

  const moveTo = (index: number): void => {
    const target = Math.max(0, Math.min(shown.length - 1, index));
    goTo.current = target;
    setActive(target);
    virtualizer.scrollToIndex(target);
    focusRow(target);
  };
  const focusRow = (index: number): void => {
    const link = body.current?.querySelector<HTMLElement>(`[data-index="${index}"] .row-link`);
    if (link === null || link === undefined) return;
    goTo.current = null;
    link.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    if (goTo.current !== null) focusRow(goTo.current);
  });

  const moves = (key: string): number | null => {
    const at = active ?? -1;
    const page = Math.max(1, Math.floor((window.innerHeight - headersPx) / rowPx) - 1);
    switch (key) {
      case 'ArrowDown':
        return at + 1;
      case 'ArrowUp':
        return at - 1;
      case 'PageDown':
        return at + page;
      case 'PageUp':
        return at - page;
      case 'Home':
        return 0;
      case 'End':
        return shown.length - 1;
      default:
        return null;
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = moves(event.key);
    if (next === null) return;
    event.preventDefault();
    moveTo(next);
  };

  // From the search box down into the rows.
  const enter = useRef(moveTo);
  useEffect(() => {
    enter.current = moveTo;
  });
  useEffect(() => {
    const fromSearch = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'ArrowDown' || !(event.target instanceof HTMLElement) || event.target.closest('.search') === null) return;
      event.preventDefault();
      enter.current(0);
    };
    window.addEventListener('keydown', fromSearch);
    return () => window.removeEventListener('keydown', fromSearch);
  }, []);

  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (shown.length > 0 && last >= shown.length - 10) onEnd?.();
  }, [last, shown.length, onEnd]);

  return (
    <div
      className="table"
      role="table"
      aria-label={label}
      aria-rowcount={shown.length + 1}
      style={{ '--tracks': columns.map(({ width }) => width).join(' ') } as object}
    >
      <div role="rowgroup" className="table-head">
        <div role="row" aria-rowindex={1} className="table-row">
          {columns.map(({ key, title, numeric, sortValue }) => {
            const sorted = order?.key === key ? (order.down ? 'descending' : 'ascending') : undefined;
            return (
              <div key={key} role="columnheader" aria-sort={sorted} className={numeric === true ? 'number' : undefined}>
                {sortValue === undefined || onSort === undefined ? (
                  title
                ) : (
                  <button type="button" onClick={() => onSort(nextSort(order, key, numeric === true))}>
                    {title}
                    <span className={`sort-mark ${sorted ?? ''}`}>
                      <Icon name="sort" />
                    </span>
                  </button>
                )}
              </div>
            );
          })}
        </div>
      </div>
      <div role="rowgroup" className="table-body" ref={body} style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const row = shown[index];
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              data-index={index}
              ref={virtualizer.measureElement}
              className="table-row"
              style={{ transform: `translateY(${start - above}px)` }}
              onFocus={() => setActive(index)}
            >
              {columns.map(({ key: name, title, numeric, cell }, column) =>
                column === 0 ? (
                  <div key={name} role="rowheader" className="row-head">
                    <Link href={hrefOf(row)} className="row-link" onKeyDown={onKeyDown}>
                      {cell(row)}
                    </Link>
                  </div>
                ) : (
                  <div key={name} role="cell" data-label={title} className={numeric === true ? 'number' : undefined}>
                    {cell(row)}
                  </div>
                ),
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
