/** The ledger as a flow: of each stage what came in and what became of it, in numbers that add up. */
import type { ReactNode } from 'react';
import type { Overview } from '../../../doubletake/src/server/api/overview.ts';
import { Counts } from '../parts/counts.tsx';
import { count, percent } from '../parts/figures.ts';
import { Icon } from '../parts/icon.tsx';
import { Panel } from '../parts/panel.tsx';

type Stage = Overview['flow'][number];
type Part = Stage['parts'][number];

/** What flows on, what is meant not to, what waits; the rest is lost. */
const meanings: Readonly<Record<string, 'on' | 'left' | 'waits'>> = {
  used: 'on',
  replayed: 'on',
  recorded: 'on',
  ignored: 'left',
  filtered: 'left',
  'sampled out': 'left',
  blocked: 'left',
  'in flight': 'waits',
};

const words: Readonly<Record<string, string>> = { 'sampled out': 'not in the sample', incomplete: 'not seen whole' };

export function Flow({ stages }: { stages: readonly Stage[] }): ReactNode {
  const targets = stages.filter(({ name }) => name.startsWith('target '));
  const before = stages.filter(({ name }) => !name.startsWith('target '));
  const captured = before.at(-1)?.total ?? 0;
  return (
    <Panel title="From packets to outcomes" aside={<span className="quiet small">since the start; everything that is seen is counted once</span>}>
      <ol className="flow">
        {before.map((stage) => (
          <li key={stage.name}>
            <StageCard stage={stage} />
          </li>
        ))}
        {targets.length === 0 ? null : (
          <li className="stack">
            {targets.map((stage) => (
              <StageCard key={stage.name} stage={stage}>
                {stage.total > captured ? <p className="small quiet">more than were captured: some are sent twice, to tell noise from change</p> : null}
              </StageCard>
            ))}
          </li>
        )}
      </ol>
    </Panel>
  );
}

function StageCard({ stage: { name, total, parts, adds }, children }: { stage: Stage; children?: ReactNode }): ReactNode {
  const shown = parts.filter(({ count: number, name: part }) => number > 0 || meanings[part] === 'on');
  return (
    <div className="stage">
      <div className="row spread">
        <h3>{name.replaceAll('_', ' ')}</h3>
        <b className="number">{count(total)}</b>
      </div>
      <div className="stage-bar" aria-hidden="true">
        {total === 0 ? null : shown.map((part) => <span key={part.name} className={meanings[part.name] ?? 'lost'} style={{ flexGrow: part.count / total }} />)}
      </div>
      <ul className="stage-parts">
        {shown.map((part) => (
          <li key={part.name}>
            <StagePart part={part} total={total} />
          </li>
        ))}
      </ul>
      {adds ? (
        <p className="small quiet">
          <Icon name="check" /> adds up to {count(total)}
        </p>
      ) : (
        <p className="small does-not-add">
          <Icon name="alert" /> does not add up: {count(parts.reduce((sum, part) => sum + part.count, 0))} of {count(total)}
        </p>
      )}
      {children}
    </div>
  );
}

function StagePart({ part: { name, count: number, detail }, total }: { part: Part; total: number }): ReactNode {
  const line = (
    <>
      <span className={`stage-mark ${meanings[name] ?? 'lost'}`} aria-hidden="true" />
      <span className="stage-name">{words[name] ?? name}</span>
      <span className="number">{count(number)}</span>
      <span className="number quiet stage-share">{total === 0 ? '' : percent(number / total)}</span>
    </>
  );
  if (detail === null || Object.keys(detail).length === 0) return <div className="stage-part">{line}</div>;
  return (
    <details>
      <summary className="stage-part">{line}</summary>
      <Counts tree={detail} />
    </details>
  );
}
