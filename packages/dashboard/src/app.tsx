import { Component, type ErrorInfo, type ReactNode } from 'react';
import { useSession } from './api/queries.ts';
import { Login } from './login/login.tsx';
import { Button } from './parts/button.tsx';
import { Empty, Loaded } from './parts/states.tsx';
import { PermissionContext, permissionOf } from './shell/permission.ts';
import { Shell } from './shell/shell.tsx';

/** Whoever needs a token first is asked for it, at whatever address. */
export function App(): ReactNode {
  const session = useSession();
  return (
    <Boundary>
      <Loaded query={session} what="the dashboard">
        {(answer) =>
          answer.role === null ? (
            <Login />
          ) : (
            <PermissionContext value={permissionOf(answer)}>
              <Shell session={answer} />
            </PermissionContext>
          )
        }
      </Loaded>
    </Boundary>
  );
}

/** A mistake of ours takes down the page, but not without a word. */
class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    // oxlint-disable-next-line no-console -- a developer looks there
    console.error(error, info.componentStack);
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Empty title="The page has failed" icon="alert">
        <p>This is a mistake of doubletake, not of your traffic; the mirror runs on. The browser's console says more.</p>
        <Button onClick={() => window.location.assign('/')}>Load the page again</Button>
      </Empty>
    );
  }
}
