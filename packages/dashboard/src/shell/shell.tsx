/** What stands around every view: where one can go, the verdict, and what is wrong now. */
import './shell.css';
import { type ReactNode, useEffect, useRef } from 'react';
import type { Session } from '../../../doubletake/src/server/api/session.ts';
import { useLiveStream } from '../api/live.ts';
import { useLogout, useOverview } from '../api/queries.ts';
import { ControlView } from '../control/control.tsx';
import { DifferenceView } from '../differences/difference.tsx';
import { DifferencesView } from '../differences/differences.tsx';
import { EndpointsView } from '../endpoints/endpoints.tsx';
import { idBelow, useAddress } from '../navigation/address.ts';
import { Link } from '../navigation/link.tsx';
import { OverviewView } from '../overview/overview.tsx';
import { Button } from '../parts/button.tsx';
import { VerdictChip } from '../parts/chip.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Empty } from '../parts/states.tsx';
import { Toasts } from '../parts/toasts.tsx';
import { RequestView } from '../requests/request.tsx';
import { RequestsView } from '../requests/requests.tsx';
import { TrafficView } from '../traffic/traffic.tsx';
import { Banners } from './banners.tsx';
import { chooseTheme, type ThemeChoice, useTheme } from './theme.ts';

const views: readonly (readonly [path: string, title: string, icon: IconName])[] = [
  ['/', 'Overview', 'overview'],
  ['/endpoints', 'Endpoints', 'endpoints'],
  ['/differences', 'Differences', 'differences'],
  ['/requests', 'Requests', 'requests'],
  ['/traffic', 'Traffic', 'traffic'],
  ['/control', 'Control', 'sliders'],
];

export function Shell({ session }: { session: Session }): ReactNode {
  const { path } = useAddress();
  const { connection, tryNow } = useLiveStream();
  const overview = useOverview().data;
  const at = views.findLast(([base]) => path === base || (base !== '/' && path.startsWith(`${base}/`)));
  const verdict = overview?.comparison?.verdict;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  useEffect(() => {
    document.title = [verdict, at?.[1], 'doubletake'].filter((part) => part !== undefined).join(' · ');
  }, [verdict, at]);

  // Another view is read from its beginning, also by who does not see it.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="header">
        <Link href="/" className="brand" aria-label="doubletake">
          <span className="brand-mark" aria-hidden="true" />
          <span className="brand-name">doubletake</span>
        </Link>
        <nav className="nav" aria-label="Views">
          {views.map(([base, title, icon]) => (
            <Link key={base} href={base} aria-current={at?.[0] === base ? 'page' : undefined}>
              <Icon name={icon} />
              {title}
            </Link>
          ))}
        </nav>
        <div className="header-end">
          {verdict === undefined ? null : (
            <Link href="/" className="header-verdict" aria-label={`The verdict: ${verdict}`}>
              <VerdictChip verdict={verdict} />
            </Link>
          )}
          <ConnectionMark connection={connection} mode={session.mode} />
          <ThemeButton />
          <Account session={session} />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} className="main">
        <Banners connection={connection} tryNow={tryNow} overview={overview} />
        <View path={path} />
      </main>
      <footer className="footer quiet small">
        doubletake {session.version}. What is shown of the traffic was made safe first. Times are those of this browser.
      </footer>
      <Toasts />
    </>
  );
}

function View({ path }: { path: string }): ReactNode {
  const cluster = idBelow('/differences', path);
  const request = idBelow('/requests', path);
  if (cluster !== null) return <DifferenceView key={cluster} id={cluster} />;
  if (request !== null) return <RequestView key={request} id={request} />;
  switch (path) {
    case '/':
    case '/login':
      return <OverviewView />;
    case '/endpoints':
      return <EndpointsView />;
    case '/differences':
      return <DifferencesView />;
    case '/requests':
      return <RequestsView />;
    case '/traffic':
      return <TrafficView />;
    case '/control':
      return <ControlView />;
    default:
      return (
        <Empty title="There is nothing at this address" icon="question">
          <p>
            <Link href="/">Go to the overview</Link>
          </p>
        </Empty>
      );
  }
}

function ConnectionMark({ connection, mode }: { connection: string; mode: Session['mode'] }): ReactNode {
  const text = mode === 'finished' ? 'ended' : connection === 'open' ? 'live' : connection === 'lost' ? 'no connection' : 'connecting';
  return (
    <span className={`connection ${mode === 'finished' ? 'ended' : connection}`} title={mode === 'finished' ? 'This run has ended.' : `Events of the mirror: ${text}`}>
      <span className="connection-dot" aria-hidden="true" />
      {text}
    </span>
  );
}

const nextTheme: Readonly<Record<ThemeChoice, ThemeChoice>> = { system: 'light', light: 'dark', dark: 'system' };

function ThemeButton(): ReactNode {
  const theme = useTheme();
  return (
    <Button kind="bare" icon="theme" aria-label={`Colours: ${theme}. Change to ${nextTheme[theme]}`} title={`Colours: ${theme}`} onClick={() => chooseTheme(nextTheme[theme])}>
      <span className="wide-only">{theme}</span>
    </Button>
  );
}

/** Where nobody has to sign in, nobody can sign out. */
function Account({ session: { role, open } }: { session: Session }): ReactNode {
  const logout = useLogout();
  if (open) return null;
  return (
    <Button kind="bare" title={`Signed in as ${role}`} onClick={() => logout.mutate()}>
      <span className="unseen">{role}: </span>Sign out
    </Button>
  );
}
