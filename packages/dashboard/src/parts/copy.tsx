import { type ReactNode, useEffect, useState } from 'react';
import { Button } from './button.tsx';

const saidMs = 4_000;

/** Puts a text on the clipboard, also where the page came without TLS and the browser offers none. */
async function copyText(text: string): Promise<boolean> {
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

/** Says itself what came of it, since it may stand in a dialog, in front of everything else. */
export function CopyButton({ text, what, children }: { text: string; what: string; children: ReactNode }): ReactNode {
  const [copied, setCopied] = useState<boolean | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = window.setTimeout(() => setCopied(null), saidMs);
    return () => window.clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <Button icon={copied === true ? 'check' : 'copy'} onClick={() => void copyText(text).then(setCopied)}>
        {copied === null ? children : copied ? 'Copied' : 'The browser refuses'}
      </Button>
      <span role="status" className="unseen">
        {copied === true ? `${what} is on the clipboard.` : ''}
      </span>
    </>
  );
}
