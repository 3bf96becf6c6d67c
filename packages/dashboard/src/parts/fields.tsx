import './fields.css';
import { type InputHTMLAttributes, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Icon } from './icon.tsx';

const typingMs = 120;

interface FieldProps {
  label: string;
  /** Below the field. */
  hint?: ReactNode;
  children: (ids: { id: string; 'aria-describedby'?: string }) => ReactNode;
}

/** A labelled control; `children` makes the control with the ids that tie both together. */
export function Field({ label, hint, children }: FieldProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(hint === undefined ? { id } : { id, 'aria-describedby': `${id}-hint` })}
      {hint === undefined ? null : (
        <div id={`${id}-hint`} className="quiet small">
          {hint}
        </div>
      )}
    </div>
  );
}

interface TypedProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> {
  value: string;
  /** Told a moment after the last key. */
  onTyped: (value: string) => void;
}

/** A text that is typed here and kept elsewhere: it follows what is kept, but never while somebody types. */
export function TypedInput({ value, onTyped, ...rest }: TypedProps): ReactNode {
  const [text, setText] = useState(value);
  const [kept, setKept] = useState(value);
  const timer = useRef<number | undefined>(undefined);
  if (value !== kept) {
    setKept(value);
    setText(value);
  }
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return (
    <input
      {...rest}
      value={text}
      onChange={({ target }) => {
        setText(target.value);
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => {
          setKept(target.value);
          onTyped(target.value);
        }, typingMs);
      }}
    />
  );
}

/** The search of a view; `/` leads to it from everywhere on the page. */
export function SearchBox({ label, value, onTyped }: { label: string; value: string; onTyped: (value: string) => void }): ReactNode {
  const input = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const toSearch = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.querySelector('input')?.focus();
    };
    window.addEventListener('keydown', toSearch);
    return () => window.removeEventListener('keydown', toSearch);
  }, []);
  return (
    <div className="search" ref={input}>
      <Icon name="search" />
      <TypedInput
        type="search"
        className="input"
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder={label}
        value={value}
        onTyped={onTyped}
        autoComplete="off"
        spellCheck={false}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('dialog') !== null)
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: Value;
  choices: readonly (readonly [Value, ReactNode])[];
  onChoose: (value: Value) => void;
}

/** One of a few. */
export function Choice<Value extends string>({ label, value, choices, onChoose }: ChoiceProps<Value>): ReactNode {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className="unseen">{label}</legend>
      {choices.map(([each, text]) => (
        <label key={each}>
          <input type="radio" name={name} checked={each === value} onChange={() => onChoose(each)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** One of several, in little room. */
export function Select<Value extends string>({ label, value, choices, onChoose }: ChoiceProps<Value>): ReactNode {
  return (
    <select className="input" aria-label={label} value={value} onChange={({ target }) => onChoose(target.value as Value)}>
      {choices.map(([each, text]) => (
        <option key={each} value={each}>
          {text}
        </option>
      ))}
    </select>
  );
}
