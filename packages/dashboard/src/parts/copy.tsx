import { type ReactNode } from 'react';
import { Button } from './button.tsx';
import { say } from './toasts.tsx';

/** Puts a text on the clipboard, also where the page came without TLS and the browser offers none. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    // In a dialog everything outside of it is out of reach.
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyButton({ text, what, children }: { text: string; what: string; children: ReactNode }): ReactNode {
  const copy = async (): Promise<void> => {
    if (await copyText(text)) say('good', `${what} is on the clipboard.`);
    else say('bad', 'The browser does not let the page write to the clipboard; select the text and copy it.');
  };
  return (
    <Button icon="copy" onClick={() => void copy()}>
      {children}
    </Button>
  );
}
