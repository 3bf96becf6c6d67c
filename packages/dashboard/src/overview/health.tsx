/** How the sources and the targets are doing now. */
import type { ReactNode } from 'react';
import type { Overview, TargetHealth } from '../../../doubletake/src/server/api/overview.ts';
import { Link } from '../navigation/link.tsx';
import { Chip, StateChip } from '../parts/chip.tsx';
import { bytes, count, milliseconds, percent, rate } from '../parts/figures.ts';
import { Panel } from '../parts/panel.tsx';
import { RampSteps, shareText } from '../parts/ramp.tsx';
import { sentence } from '../parts/sentence.ts';
import { Empty } from '../parts/states.tsx';

export function Targets({ overview: { targets } }: { overview: Overview }): ReactNode {
  return (
    <Panel title="Targets" aside={<Link href="/control">Control</Link>}>
      {targets.length === 0 ? (
        <Empty title="There are no targets" icon="requests">
          Nothing is replayed. Name one with <code>--target URL</code>.
        </Empty>
      ) : (
        <ul className="health-list">
          {targets.map((target) => (
            <Target key={target.name} target={target} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Target({ target }: { target: TargetHealth }): ReactNode {
  const { name, url, role, state, text, requestsPerSecond, errorShare, latencyMs, queued, circuit, ramp } = target;
  return (
    <Item
      name={name}
      beside={
        <>
          {role === 'other' ? null : <Chip tone="quiet">{role}</Chip>}
          <span className="quiet small">{url}</span>
        </>
      }
      state={state}
      text={text}
      readings={[
        ['requests', `${rate(requestsPerSecond)}/s`],
        ['errors', percent(errorShare)],
        ['p50', milliseconds(latencyMs.p50)],
        ['p99', milliseconds(latencyMs.p99)],
        ['waiting', count(queued)],
        ['breaker', circuit],
        ['share', shareText(target)],
      ]}
    >
      {ramp === null ? null : <RampSteps target={target} />}
    </Item>
  );
}

export function Sources({ overview: { sources, production } }: { overview: Overview }): ReactNode {
  return (
    <Panel title="Sources" aside={<Link href="/traffic">Traffic</Link>}>
      <ul className="health-list">
        {sources.map(({ name, kind, state, text, requestsPerSecond, kernelDrops, gapBytes }) => (
          <Item
            key={name}
            name={name}
            beside={name.startsWith(kind) ? null : <Chip tone="quiet">{kind}</Chip>}
            state={state}
            text={text}
            readings={[
              ['requests', `${rate(requestsPerSecond)}/s`],
              ['dropped by the kernel', count(kernelDrops)],
              ['missing', bytes(gapBytes)],
            ]}
          />
        ))}
        <Item
          name="production"
          beside={<span className="quiet small">as the traffic shows it</span>}
          readings={[
            ['errors', percent(production.errorShare)],
            ['p50', milliseconds(production.latencyMs.p50)],
            ['p90', milliseconds(production.latencyMs.p90)],
            ['p99', milliseconds(production.latencyMs.p99)],
          ]}
        />
      </ul>
    </Panel>
  );
}

interface ItemProps {
  name: string;
  /** Behind the name. */
  beside: ReactNode;
  state?: TargetHealth['state'];
  /** What is to be known of its state; may be empty. */
  text?: string;
  readings: readonly (readonly [name: string, value: string])[];
  children?: ReactNode;
}

function Item({ name, beside, state, text = '', readings, children }: ItemProps): ReactNode {
  return (
    <li>
      <div className="row spread">
        <div className="row">
          <b>{name}</b>
          {beside}
        </div>
        {state === undefined ? null : <StateChip state={state} />}
      </div>
      {text === '' ? null : <p className="small">{sentence(text)}</p>}
      <dl className="readings">
        {readings.map(([reading, value]) => (
          <div key={reading}>
            <dt>{reading}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {children}
    </li>
  );
}
