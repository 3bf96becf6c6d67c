import './button.css';
import { type ButtonHTMLAttributes, type ReactNode, useId } from 'react';
import { Icon, type IconName } from './icon.tsx';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'plain' | 'primary' | 'danger' | 'bare';
  icon?: IconName;
  /** Why it cannot be used now, in words; null where it can. It stays reachable, so that the reason can be read. */
  because?: string | null;
  children: ReactNode;
}

export function Button({ kind = 'plain', icon, because = null, onClick, className = '', children, ...rest }: ButtonProps): ReactNode {
  const reason = useId();
  const off = because !== null;
  return (
    <>
      <button
        type="button"
        {...rest}
        className={`button ${kind} ${className}`}
        aria-disabled={off || undefined}
        aria-describedby={off ? reason : undefined}
        title={because ?? rest.title}
        onClick={off ? (event) => event.preventDefault() : onClick}
      >
        {icon === undefined ? null : <Icon name={icon} />}
        {children}
      </button>
      {off ? (
        <span id={reason} className="unseen">
          {because}
        </span>
      ) : null}
    </>
  );
}
