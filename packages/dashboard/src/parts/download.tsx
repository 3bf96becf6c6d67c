import './button.css';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

/** A link to a file that the server makes. */
export function DownloadLink({ href, children }: { href: string; children: ReactNode }): ReactNode {
  return (
    <a className="button" href={href} download>
      <Icon name="download" />
      {children}
    </a>
  );
}
