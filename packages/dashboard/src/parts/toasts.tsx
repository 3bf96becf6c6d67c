/** What an action has come to, said for a while at the edge of the page, and to a screen reader. */
import './toasts.css';
import { type ReactNode, useSyncExternalStore } from 'react';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

interface Toast {
  id: number;
  tone: 'good' | 'bad';
  text: string;
}

const shownMs = 6_000;
const toastsMax = 3;

let toasts: readonly Toast[] = [];
let nextId = 0;
const listeners = new Set<() => void>();

function show(changed: readonly Toast[]): void {
  toasts = changed;
  for (const listener of listeners) listener();
}

function drop(id: number): void {
  show(toasts.filter((toast) => toast.id !== id));
}

/** A failure stays until somebody closes it. */
export function say(tone: Toast['tone'], text: string): void {
  const id = nextId++;
  show([...toasts, { id, tone, text }].slice(-toastsMax));
  if (tone === 'good') window.setTimeout(() => drop(id), shownMs);
}

export function Toasts(): ReactNode {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, tone, text }) => (
        <div key={id} className={`toast ${tone}`}>
          <Icon name={tone === 'good' ? 'check' : 'alert'} />
          <span>{text}</span>
          <Button kind="bare" icon="close" aria-label="Dismiss" onClick={() => drop(id)}>
            {''}
          </Button>
        </div>
      ))}
    </div>
  );
}
