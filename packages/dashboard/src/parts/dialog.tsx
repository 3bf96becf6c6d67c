import './dialog.css';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from './button.tsx';

interface DialogProps {
  title: string;
  onClose: () => void;
  /** Below the content: what can be done. */
  actions: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

/** In front of the page, for as long as it is rendered. The browser keeps the focus in it and closes it with Escape. */
export function Dialog({ title, onClose, actions, wide = false, children }: DialogProps): ReactNode {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="row spread dialog-head">
        <h2 id={id}>{title}</h2>
        <Button kind="bare" icon="close" onClick={onClose} aria-label="Close">
          {''}
        </Button>
      </div>
      <div className="dialog-content stack">{children}</div>
      <div className="row dialog-actions">{actions}</div>
    </dialog>
  );
}
