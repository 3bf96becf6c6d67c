import './login.css';
import { type ReactNode, useId, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { useLogin } from '../api/queries.ts';
import { navigate } from '../navigation/address.ts';
import { Button } from '../parts/button.tsx';
import { Notice } from '../parts/states.tsx';

/** Asks for the token, and then shows what the address says. */
export function Login(): ReactNode {
  const [token, setToken] = useState('');
  const login = useLogin();
  const id = useId();
  const send = (): void => {
    login.mutate(token.trim(), {
      onSuccess: () => {
        if (window.location.pathname === '/login') navigate('/', { replace: true });
      },
    });
  };
  return (
    <main className="login">
      <form
        className="panel"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== '' && !login.isPending) send();
        }}
      >
        <h1>doubletake</h1>
        <p className="quiet">This dashboard is open to whoever has its token.</p>
        <label htmlFor={id}>Token</label>
        <input
          id={id}
          className="input"
          type="password"
          autoComplete="current-password"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- nothing else is on the page
          autoFocus
          value={token}
          aria-invalid={login.isError || undefined}
          aria-describedby={`${id}-hint`}
          onChange={({ target }) => setToken(target.value)}
        />
        <p id={`${id}-hint`} className="quiet small">
          It was printed once when doubletake started, or stands in the environment that it was started with.
        </p>
        {login.isError ? <Notice tone="bad">{wordsFor(login.error)}</Notice> : null}
        <Button type="submit" kind="primary" because={token.trim() === '' ? 'Enter the token first.' : null}>
          {login.isPending ? 'Signing in …' : 'Sign in'}
        </Button>
      </form>
    </main>
  );
}

function wordsFor(error: Error): string {
  if (!(error instanceof ApiError)) return error.message;
  if (error.status === 401) return 'This is not the token of this dashboard.';
  if (error.status === 429) return 'Too many wrong tokens. Wait a minute and try again.';
  return error.message;
}
