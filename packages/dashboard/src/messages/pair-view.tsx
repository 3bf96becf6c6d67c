/** A request with what both versions answered to it. */
import './messages.css';
import type { ReactNode } from 'react';
import type { ShownMessage, ShownPair } from '../../../doubletake/src/server/api/clusters.ts';
import { plural } from '../parts/figures.ts';
import { sentence } from '../parts/sentence.ts';
import { Notice } from '../parts/states.tsx';
import { HeaderTable, headerRows } from './header-rows.tsx';
import { BodyAlone, SideBySide } from './side-by-side.tsx';
import { TimingBars } from './timing.tsx';

const differencesShownMax = 50;
const sides = ['Production', 'Candidate'] as const;

interface PairViewProps {
  pair: ShownPair;
  names?: readonly [left: string, right: string];
  /** The difference that it is an example of. */
  cluster?: string;
}

export function PairView({ pair, names = sides, cluster }: PairViewProps): ReactNode {
  const { request, baseline, candidate, differences, timing, hidden } = pair;
  const headersDiffer = headerRows(baseline?.headers ?? [], candidate?.headers ?? [], differences).some(
    ({ meaning }) => meaning === 'counts',
  );
  return (
    <div className="stack">
      {hidden === null ? null : <Notice tone="unsure">{sentence(hidden)}</Notice>}
      <div className="two">
        <Start name={names[0]} message={baseline} differs={differs(pair)} />
        <Start name={names[1]} message={candidate} differs={differs(pair)} />
      </div>
      <TimingBars timing={timing} names={names} />
      <Differences pair={pair} names={names} cluster={cluster} />
      {baseline !== null && candidate !== null ? (
        <SideBySide baseline={baseline} candidate={candidate} differences={differences} names={names} />
      ) : (
        [baseline, candidate].map((message, index) =>
          message === null ? null : <BodyAlone key={index} name={names[index] ?? ''} message={message} />,
        )
      )}
      <details open={headersDiffer}>
        <summary>
          Headers <span className="quiet">of both answers</span>
        </summary>
        <HeaderTable baseline={baseline} candidate={candidate} differences={differences} names={names} />
      </details>
      <details>
        <summary>
          Request <code>{request.start}</code>
        </summary>
        <pre tabIndex={0}>
          {[request.start, ...request.headers.map(([name, value]) => `${name}: ${value}`), '', request.body.text ?? '']
            .join('\n')
            .trimEnd()}
        </pre>
        {request.body.cut ? <p className="quiet small">The body is cut.</p> : null}
      </details>
    </div>
  );
}

function differs({ differences }: ShownPair): boolean {
  return differences.some(({ kind }) => kind === 'status' || kind === 'failure');
}

function Start({ name, message, differs: marked }: { name: string; message: ShownMessage | null; differs: boolean }): ReactNode {
  return (
    <p className="start">
      <span className="quiet">{name}</span>{' '}
      {message === null ? (
        <span>has no answer</span>
      ) : marked ? (
        <mark className="start-mark">{message.start}</mark>
      ) : (
        <b>{message.start}</b>
      )}
    </p>
  );
}

function Differences({
  pair: { differences },
  names,
  cluster,
}: {
  pair: ShownPair;
  names: readonly [left: string, right: string];
  cluster: string | undefined;
}): ReactNode {
  if (differences.length === 0) return <p className="quiet">Nothing differs beyond noise and rules.</p>;
  return (
    <div className="scrolls" tabIndex={0} role="region" aria-label="What differs">
      <table className="plain-table differs">
        <caption className="unseen">What differs</caption>
        <thead>
          <tr>
            <th scope="col">Differs at</th>
            <th scope="col">Kind</th>
            <th scope="col">{names[0]}</th>
            <th scope="col">{names[1]}</th>
          </tr>
        </thead>
        <tbody>
          {differences.slice(0, differencesShownMax).map(({ kind, place, from, to, cluster: of }, index) => (
            <tr key={index} className={of !== null && of === cluster ? 'own' : undefined}>
              <th scope="row">
                <code>{place}</code>
              </th>
              <td data-label="Kind">{kind}</td>
              <td data-label={names[0]}>{from === null ? <span className="quiet">nothing</span> : <code>{from}</code>}</td>
              <td data-label={names[1]}>{to === null ? <span className="quiet">nothing</span> : <code>{to}</code>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {differences.length > differencesShownMax ? (
        <p className="quiet small">… and {plural(differences.length - differencesShownMax, 'more difference')}</p>
      ) : null}
    </div>
  );
}
