import type { ReactNode } from 'react';
import { Select } from './fields.tsx';
import type { Column } from './table.tsx';

interface SortSelectProps<Row> {
  columns: readonly Column<Row>[];
  sort: string;
  onSort: (sort: string) => void;
}

/** The order of a table where it has no head to click at: on a narrow screen. */
export function SortSelect<Row>({ columns, sort, onSort }: SortSelectProps<Row>): ReactNode {
  const choices = columns.flatMap(({ key, title, numeric, sortValue }) => {
    if (sortValue === undefined) return [];
    const ways = [[`-${key}`, `${title}, descending`] as const, [key, `${title}, ascending`] as const];
    return numeric === true ? ways : ways.toReversed();
  });
  return (
    <div className="sort-select">
      <Select label="Sort by" value={sort} onChoose={onSort} choices={[['', 'What needs a look first'], ...choices]} />
    </div>
  );
}
