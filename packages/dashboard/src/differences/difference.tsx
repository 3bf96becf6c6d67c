/** One difference: what it is, how it came, examples side by side, and what can be done about it. */
import './differences.css';
import { type ReactNode, useState } from 'react';
import type { ClusterDetail } from '../../../doubletake/src/server/api/clusters.ts';
import { kindText, shareText } from '../../../doubletake/src/compare/report-text/wording.ts';
import { useAcceptance, useCluster } from '../api/queries.ts';
import { PairView } from '../messages/pair-view.tsx';
import { addressOf, navigate } from '../navigation/address.ts';
import { useFilters } from '../navigation/filters.ts';
import { Link } from '../navigation/link.tsx';
import { Button } from '../parts/button.tsx';
import { Chip, RiskChip } from '../parts/chip.tsx';
import { CopyButton } from '../parts/copy.tsx';
import { DownloadLink } from '../parts/download.tsx';
import { Choice } from '../parts/fields.tsx';
import { count, milliseconds } from '../parts/figures.ts';
import { Panel } from '../parts/panel.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { say } from '../parts/toasts.tsx';
import { usePermission } from '../shell/permission.ts';
import { AcceptDialog } from './accept-dialog.tsx';
import { RuleDialog } from './rule-dialog.tsx';
import { Timeline } from './timeline.tsx';
import { transitionText } from './transition.ts';

export function DifferenceView({ id }: { id: string }): ReactNode {
  return (
    <div className="stack">
      <p>
        <Link href="/differences">All differences</Link>
      </p>
      <Loaded query={useCluster(id)} what="the difference">
        {(detail) => <Difference detail={detail} />}
      </Loaded>
    </div>
  );
}

function Difference({ detail }: { detail: ClusterDetail }): ReactNode {
  const { cluster, examples, timeline, latencyMs, suggestedRule } = detail;
  const { id, endpoint, path, kind, transition, cause, risk, origin, significant, accepted, firstSeen } = cluster;
  const { values, set } = useFilters(['example']);
  const index = Math.min(Math.max(0, Number(values.example || 1) - 1), Math.max(0, examples.length - 1));
  const example = examples[index];
  const [dialog, setDialog] = useState<'ignore' | 'tolerate' | 'accept' | null>(null);
  const { because } = usePermission();
  const acceptance = useAcceptance(id);
  const close = (): void => setDialog(null);
  const numeric =
    kind === 'value' &&
    [cluster.from, cluster.to].every((value) => value !== null && value.trim() !== '' && Number.isFinite(Number(value)));
  return (
    <>
      <header className="difference-head">
        <div className="row">
          <RiskChip risk={risk} /> <span className="quiet">risk</span>
          {origin === 'state' ? <Chip tone="quiet">different data, not different code</Chip> : null}
          {significant ? null : <Chip tone="unsure">may still be noise</Chip>}
          {accepted ? <Chip tone="quiet">accepted</Chip> : null}
        </div>
        <h1>
          <code className="path">{path}</code> {cause}
        </h1>
        <p>
          <Link href={addressOf('/differences', { endpoint })}>
            <code>{endpoint}</code>
          </Link>
        </p>
        <p className="quiet">
          {shareText(cluster)}; {kindText({ kind, transition: transitionText(transition) })}; first seen{' '}
          <Time iso={firstSeen} />
        </p>
        <div className="row">
          <Button because={because} onClick={() => setDialog('ignore')}>
            Ignore by rule …
          </Button>
          {numeric ? (
            <Button because={because} onClick={() => setDialog('tolerate')}>
              Tolerate by rule …
            </Button>
          ) : null}
          {accepted ? (
            <Button
              because={because}
              onClick={() =>
                acceptance.mutate(null, { onSuccess: () => say('good', 'It counts again.'), onError: (error) => say('bad', error.message) })
              }
            >
              Count it again
            </Button>
          ) : (
            <Button because={because} onClick={() => setDialog('accept')}>
              Accept …
            </Button>
          )}
          {example === undefined || example.hidden !== null ? null : (
            <CopyButton text={example.curl} what="The command">
              Copy as curl
            </CopyButton>
          )}
          <DownloadLink href={`/api/clusters/${encodeURIComponent(id)}/har`}>Download HAR</DownloadLink>
        </div>
        {because === null ? null : <Notice tone="plain">{because}</Notice>}
      </header>
      <div className="columns">
        {timeline.length === 0 ? null : (
          <Panel title="When it was seen" aside={<span className="quiet small">stored pairs by the minute</span>}>
            <Timeline points={timeline} />
          </Panel>
        )}
        {latencyMs === null ? null : (
          <Panel title="How long these took">
            <table className="plain-table">
              <thead>
                <tr>
                  <th scope="col">Side</th>
                  <th scope="col" className="number">
                    p50
                  </th>
                  <th scope="col" className="number">
                    p90
                  </th>
                  <th scope="col" className="number">
                    p99
                  </th>
                </tr>
              </thead>
              <tbody>
                {(
                  [
                    ['Production', latencyMs.baseline],
                    ['Candidate', latencyMs.candidate],
                  ] as const
                ).map(([name, { p50, p90, p99 }]) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td className="number">{milliseconds(p50)}</td>
                    <td className="number">{milliseconds(p90)}</td>
                    <td className="number">{milliseconds(p99)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
        )}
      </div>
      {example === undefined ? (
        <Empty title="There is no example any more" icon="differences">
          The messages of its {count(cluster.count)} pairs are no longer held.
        </Empty>
      ) : (
        <Panel
          title={
            <>
              Example <code>{`${example.method} ${example.target}`}</code>
            </>
          }
          aside={
            examples.length < 2 ? null : (
              <Choice
                label="Example"
                value={String(index + 1)}
                onChoose={(chosen) => set({ example: chosen })}
                choices={examples.map((_, each) => [String(each + 1), String(each + 1)])}
              />
            )
          }
        >
          <p className="quiet small">
            <Time iso={example.time} />, <Link href={`/requests/${encodeURIComponent(example.id)}`}>request {example.id}</Link>
          </p>
          <PairView key={example.id} pair={example} cluster={id} />
        </Panel>
      )}
      {dialog === 'accept' ? <AcceptDialog cluster={cluster} onClose={close} /> : null}
      {dialog === 'ignore' || dialog === 'tolerate' ? (
        <RuleDialog suggested={suggestedRule} cluster={cluster} effect={dialog} onClose={close} onSaved={() => navigate('/differences')} />
      ) : null}
    </>
  );
}
