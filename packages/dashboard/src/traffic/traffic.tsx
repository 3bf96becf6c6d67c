/** What arrives, and what of it is used. */
import './traffic.css';
import type { ReactNode } from 'react';
import type { Traffic } from '../../../doubletake/src/server/api/traffic.ts';
import { useSession, useTraffic } from '../api/queries.ts';
import { StateChip } from '../parts/chip.tsx';
import { Counts, countsOf } from '../parts/counts.tsx';
import { bytes, count, rate } from '../parts/figures.ts';
import { Facts, Panel } from '../parts/panel.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';

type Source = Traffic['sources'][number];

export function TrafficView(): ReactNode {
  const live = useSession().data?.mode === 'live';
  return (
    <div className="stack">
      <h1>Traffic</h1>
      <Loaded query={useTraffic(live)} what="the traffic">
        {({ sources, recording }) => (
          <>
            {sources.length === 0 ? (
              <Empty title="There is no source" icon="traffic">
                Start the mirror with <code>--vxlan</code>, <code>--interface</code>, <code>--proxy</code> or another source.
              </Empty>
            ) : (
              sources.map((source) => <SourcePanel key={source.name} source={source} />)
            )}
            {recording === null ? null : <RecordingPanel recording={recording} />}
          </>
        )}
      </Loaded>
    </div>
  );
}

function SourcePanel({ source }: { source: Source }): ReactNode {
  const { name, kind, state, text, requestsPerSecond, packets, connections, captured, outcomes, inFlight, gaps, skippedBytes, other, production, fidelity } = source;
  return (
    <Panel
      title={name}
      aside={
        <div className="row">
          {name.startsWith(kind) ? null : <span className="quiet">{kind}</span>}
          <span className="number">{rate(requestsPerSecond)} requests/s</span>
          <StateChip state={state} />
        </div>
      }
    >
      {text === '' ? null : <Notice tone={state === 'failing' ? 'bad' : 'unsure'}>{text}</Notice>}
      {captured === 0 && packets.received === 0 && connections === 0 ? (
        <p>
          Nothing has arrived yet. Is the mirror session or the proxy pointed at this address, and does a firewall let it through?
        </p>
      ) : null}
      <div className="traffic-grid">
        <div>
          <h3>Packets</h3>
          <Facts
            facts={[
              ['received', count(packets.received)],
              ['used', count(packets.used)],
              ['ignored', count(sum(packets.ignored))],
              ['malformed', count(sum(packets.malformed))],
            ]}
          />
          {sum(packets.ignored) === 0 ? null : (
            <>
              <h4>Ignored, and why</h4>
              <Counts tree={packets.ignored} />
            </>
          )}
          {sum(packets.malformed) === 0 ? null : (
            <>
              <h4>Malformed, and how</h4>
              <Counts tree={packets.malformed} />
            </>
          )}
        </div>
        <div>
          <h3>What is missing</h3>
          <Facts
            facts={[
              ['dropped by the kernel', <Bad key="drops" value={packets.kernelDrops} text={count(packets.kernelDrops)} />],
              ['gaps', <Bad key="gaps" value={gaps.count} text={`${count(gaps.count)} (${bytes(gaps.bytes)})`} />],
              ['fragments given up', count(packets.fragmentsGivenUp)],
              ['belongs to no message', bytes(skippedBytes)],
            ]}
          />
        </div>
        <div>
          <h3>Connections</h3>
          <Facts
            facts={[
              ['with payload', count(connections)],
              ['not HTTP/1', count(sum(other))],
            ]}
          />
          {sum(other) === 0 ? null : <Counts tree={other} />}
        </div>
        <div>
          <h3>Requests</h3>
          <Facts
            facts={[
              ['captured', count(captured)],
              ['in flight', count(inFlight)],
            ]}
          />
          <h4>Outcomes</h4>
          <Counts tree={outcomes} none="none yet" />
        </div>
        <div>
          <h3>Production's answers</h3>
          <Counts tree={production.responses} none="none seen" />
          {production.orphans === 0 ? null : (
            <p className="small quiet">{count(production.orphans)} to requests that were not seen</p>
          )}
        </div>
        <div>
          <h3>Fidelity</h3>
          <Counts tree={fidelity} none="nothing yet" />
        </div>
      </div>
    </Panel>
  );
}

function Bad({ value, text }: { value: number; text: string }): ReactNode {
  return value === 0 ? text : <strong className="bad-figure">{text}</strong>;
}

function sum(tree: Source['other']): number {
  return countsOf(tree).reduce((total, [, number]) => total + number, 0);
}

function RecordingPanel({ recording: { exchanges, bytes: size, dropped, failed } }: { recording: NonNullable<Traffic['recording']> }): ReactNode {
  return (
    <Panel title="Recording">
      <div className="recording-facts">
      <Facts
        facts={[
          ['exchanges', count(exchanges)],
          ['on the disk', bytes(size)],
          ['left out, too far behind', <Bad key="dropped" value={dropped} text={count(dropped)} />],
          ['could not be written', <Bad key="failed" value={failed} text={count(failed)} />],
        ]}
      />
      </div>
    </Panel>
  );
}
