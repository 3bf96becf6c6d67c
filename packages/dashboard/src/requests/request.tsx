/** One request in full. */
import './requests.css';
import { type ReactNode, useState } from 'react';
import type { RequestDetail } from '../../../doubletake/src/server/api/requests.ts';
import { useReplayAgain, useRequest } from '../api/queries.ts';
import { PairView } from '../messages/pair-view.tsx';
import { addressOf } from '../navigation/address.ts';
import { Link } from '../navigation/link.tsx';
import { Button } from '../parts/button.tsx';
import { Chip } from '../parts/chip.tsx';
import { CopyButton } from '../parts/copy.tsx';
import { DownloadLink } from '../parts/download.tsx';
import { Select } from '../parts/fields.tsx';
import { milliseconds } from '../parts/figures.ts';
import { Facts, Panel } from '../parts/panel.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { usePermission } from '../shell/permission.ts';
import { outcomeExplained, outcomeTone, outcomeWords } from './outcomes.ts';

export function RequestView({ id }: { id: string }): ReactNode {
  return (
    <div className="stack">
      <p>
        <Link href="/requests">All requests</Link>
      </p>
      <Loaded query={useRequest(id)} what="the request">
        {(detail) => <Request detail={detail} />}
      </Loaded>
    </div>
  );
}

function Request({ detail: { request, labels, pair, note, replayable } }: { detail: RequestDetail }): ReactNode {
  const { id, time, method, target, endpoint, outcome, production, candidate, compared, client, totalMs } = request;
  return (
    <>
      <header className="stack request-head">
        <h1>
          <code>
            {method} {target}
          </code>
        </h1>
        <div className="row">
          <Chip tone={outcomeTone(outcome)}>{outcomeWords(outcome)}</Chip>
          {compared === null ? null : <Chip tone={compared === 'equal' ? 'good' : 'bad'}>{compared}</Chip>}
          {labels.map((label) => (
            <Chip key={label} tone="quiet">
              {label.replaceAll('_', ' ')}
            </Chip>
          ))}
          <span className="quiet">{outcomeExplained(outcome)}</span>
        </div>
        {pair === null || pair.hidden !== null ? null : (
          <div className="row">
            <CopyButton text={pair.curl} what="The command">
              Copy as curl
            </CopyButton>
            <DownloadLink href={`/api/requests/${encodeURIComponent(id)}/har`}>Download HAR</DownloadLink>
          </div>
        )}
      </header>
      <Panel title="What is known of it">
        <Facts
          wide
          facts={[
            ['time', <Time key="time" iso={time} />],
            [
              'endpoint',
              endpoint === null ? (
                '–'
              ) : (
                <Link key="endpoint" href={addressOf('/differences', { endpoint })}>
                  <code>{endpoint}</code>
                </Link>
              ),
            ],
            ['client', <code key="client">{client}</code>],
            ['production', said(production, totalMs.production)],
            ['candidate', said(candidate, totalMs.candidate)],
            ['id', <code key="id">{id}</code>],
          ]}
        />
      </Panel>
      {pair === null ? (
        <Empty title="Its messages are not here" icon="requests">
          {note ?? 'It was not compared.'}
        </Empty>
      ) : (
        <Panel title="Both answers">
          {note === null ? null : <Notice tone="plain">{note}</Notice>}
          <PairView pair={pair} />
        </Panel>
      )}
      <ReplayAgain id={id} targets={replayable} />
    </>
  );
}

function said(status: number | null, ms: number | null): string {
  if (status === null) return 'no answer';
  return ms === null ? String(status) : `${status} in ${milliseconds(ms)}`;
}

/** Sends it once more and shows what comes back now. */
function ReplayAgain({ id, targets }: { id: string; targets: readonly string[] }): ReactNode {
  const [target, setTarget] = useState(targets[0] ?? '');
  const { because } = usePermission();
  const replay = useReplayAgain(id);
  const reason = because ?? (targets.length === 0 ? 'It is not held in a form in which it could be sent.' : replay.isPending ? 'It is under way.' : null);
  return (
    <Panel
      title="Send it again"
      aside={
        <div className="row">
          {targets.length > 1 ? <Select label="Target" value={target} onChoose={setTarget} choices={targets.map((name) => [name, name] as const)} /> : null}
          <Button kind="primary" because={reason} onClick={() => replay.mutate(target)}>
            {replay.isPending ? 'Sending …' : targets.length === 1 ? `Replay to ${target} now` : 'Replay now'}
          </Button>
        </div>
      }
    >
      <p className="quiet small">{reason === null ? 'To the target as it is now; the ledger and the verdict do not count it.' : reason}</p>
      {replay.isError ? <Notice tone="bad">{replay.error.message}</Notice> : null}
      {replay.data === undefined ? null : (
        <>
          <p>
            Answered at <Time iso={replay.data.pair.time} />:
          </p>
          <PairView pair={replay.data.pair} names={['Production', 'Now']} />
        </>
      )}
    </Panel>
  );
}
