/** How the sources and the targets are doing now. */
import type { ReactNode } from 'react';
import type { Overview, TargetHealth } from '../../../doubletake/src/server/api/overview.ts';
import { Link } from '../navigation/link.tsx';
import { Chip, StateChip } from '../parts/chip.tsx';
import { bytes, count, milliseconds, percent, rate } from '../parts/figures.ts';
import { Panel } from '../parts/panel.tsx';
import { RampSteps, shareText } from '../parts/ramp.tsx';
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
            <li key={target.name}>
              <Target target={target} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Target({ target }: { target: TargetHealth }): ReactNode {
  const { name, url, role, state, text, requestsPerSecond, errorShare, latencyMs, queued, circuit } = target;
  return (
    <>
      <div className="row spread">
        <div className="row">
          <b>{name}</b>
          {role === 'other' ? null : <Chip tone="quiet">{role}</Chip>}
          <span className="quiet small">{url}</span>
        </div>
        <StateChip state={state} />
      </div>
      {text === '' ? null : <p className="small">{text}</p>}
      <dl className="readings">
        <Reading name="requests" value={`${rate(requestsPerSecond)}/s`} />
        <Reading name="errors" value={percent(errorShare)} />
        <Reading name="p50" value={milliseconds(latencyMs.p50)} />
        <Reading name="p99" value={milliseconds(latencyMs.p99)} />
        <Reading name="waiting" value={count(queued)} />
        <Reading name="breaker" value={circuit} />
        <Reading name="share" value={shareText(target)} />
      </dl>
      {target.ramp === null ? null : <RampSteps target={target} />}
    </>
  );
}

export function Sources({ overview: { sources, production } }: { overview: Overview }): ReactNode {
  return (
    <Panel title="Sources" aside={<Link href="/traffic">Traffic</Link>}>
      <ul className="health-list">
        {sources.map(({ name, kind, state, text, requestsPerSecond, kernelDrops, gapBytes }) => (
          <li key={name}>
            <div className="row spread">
              <div className="row">
                <b>{name}</b>
                {name.startsWith(kind) ? null : <Chip tone="quiet">{kind}</Chip>}
              </div>
              <StateChip state={state} />
            </div>
            {text === '' ? null : <p className="small">{text}</p>}
            <dl className="readings">
              <Reading name="requests" value={`${rate(requestsPerSecond)}/s`} />
              <Reading name="dropped by the kernel" value={count(kernelDrops)} />
              <Reading name="missing" value={bytes(gapBytes)} />
            </dl>
          </li>
        ))}
        <li>
          <b>production</b> <span className="quiet small">as the traffic shows it</span>
          <dl className="readings">
            <Reading name="errors" value={percent(production.errorShare)} />
            <Reading name="p50" value={milliseconds(production.latencyMs.p50)} />
            <Reading name="p90" value={milliseconds(production.latencyMs.p90)} />
            <Reading name="p99" value={milliseconds(production.latencyMs.p99)} />
          </dl>
        </li>
      </ul>
    </Panel>
  );
}

function Reading({ name, value }: { name: string; value: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
