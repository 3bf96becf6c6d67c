/** Filters of a view, kept in the query of its address, so that they can be shared and the back button undoes them. */
import { addressOf, navigate, useAddress } from './address.ts';

export interface Filters<Name extends string> {
  /** Empty where it is not set. */
  values: Readonly<Record<Name, string>>;
  /** While somebody types (`typing`) no step is added to the history. */
  set: (changes: Partial<Record<Name, string>>, options?: { typing?: boolean }) => void;
  /** Whether any is set. */
  active: boolean;
  clear: () => void;
}

export function useFilters<Name extends string>(names: readonly Name[]): Filters<Name> {
  const { path, query } = useAddress();
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? ''])) as Record<Name, string>;
  return {
    values,
    active: names.some((name) => values[name] !== ''),
    set(changes, { typing = false } = {}) {
      const now = Object.fromEntries(new URLSearchParams(window.location.search));
      navigate(addressOf(path, { ...now, ...changes }), { replace: typing });
    },
    clear() {
      const others = Object.entries(Object.fromEntries(query)).filter(([name]) => !names.some((own) => own === name));
      navigate(addressOf(path, Object.fromEntries(others)));
    },
  };
}
