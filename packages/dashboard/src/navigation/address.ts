/** The page's address: which view is shown, and with which filters. The browser's own history is the only state. */
import { useSyncExternalStore } from 'react';

export interface Address {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

/** Shows another address; with `replace` the back button does not come back to this one. */
export function navigate(to: string, { replace = false } = {}): void {
  if (to === window.location.pathname + window.location.search) return;
  const otherView = to.split('?', 1)[0] !== window.location.pathname;
  if (replace) window.history.replaceState(null, '', to);
  else window.history.pushState(null, '', to);
  for (const listener of listeners) listener();
  if (otherView) window.scrollTo(0, 0);
}

export function useAddress(): Address {
  const text = useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
  const [path = '/', query = ''] = text.split('?', 2);
  return { path, query: new URLSearchParams(query) };
}

/** An address of the page; what is null or empty is left out of the query. */
export function addressOf(path: string, query: Readonly<Record<string, string | null | undefined>> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The last step of an address such as `/requests/{id}`, decoded; null where it is not below `base` or cannot be decoded. */
export function idBelow(base: string, path: string): string | null {
  if (!path.startsWith(`${base}/`)) return null;
  try {
    return decodeURIComponent(path.slice(base.length + 1));
  } catch {
    return null;
  }
}
