/** What can be changed while it runs. */
import './control.css';
import { type ReactNode, useState } from 'react';
import type { Control } from '../../../doubletake/src/server/api/control.ts';
import { useChanges, useControl, useReplayChange } from '../api/queries.ts';
import { Button } from '../parts/button.tsx';
import { Chip } from '../parts/chip.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Panel } from '../parts/panel.tsx';
import { Loaded, Notice } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { say } from '../parts/toasts.tsx';
import { usePermission } from '../shell/permission.ts';
import { TargetControl } from './target-control.tsx';

const changesShown = 100;

export function ControlView(): ReactNode {
  const { because } = usePermission();
  return (
    <div className="stack">
      <h1>Control</h1>
      {because === null ? null : <Notice tone="plain">{because}</Notice>}
      <Loaded query={useControl()} what="what can be controlled">
        {(control) => (
          <>
            <Replay control={control} />
            {control.targets.map((target) => (
              <TargetControl key={target.name} target={target} />
            ))}
          </>
        )}
      </Loaded>
      <Changes />
    </div>
  );
}

/** The kill switch. */
function Replay({ control: { replay } }: { control: Control }): ReactNode {
  const [asking, setAsking] = useState(false);
  const { because } = usePermission();
  const change = useReplayChange();
  const running = replay === 'running';
  const to = (wanted: Control['replay']): void =>
    change.mutate(wanted, {
      onSuccess: ({ change: { text }, tookMs }) => say('good', `${text} (took ${Math.round(tookMs)} ms)`),
      onError: (error) => say('bad', error.message),
    });
  return (
    <Panel title="Replay" aside={<Chip tone={running ? 'good' : 'unsure'}>{replay}</Chip>}>
      <div className="row spread">
        <p>
          {running
            ? 'Requests go out to the targets. The kill switch stops all of them at once; capturing goes on.'
            : 'Nothing is sent. Requests are captured and end as blocked by the kill switch.'}
        </p>
        {running ? (
          <Button kind="danger" icon="stop" because={because} onClick={() => setAsking(true)}>
            Stop all replay …
          </Button>
        ) : (
          <Button kind="primary" because={because} onClick={() => to('running')}>
            Let replay go on
          </Button>
        )}
      </div>
      {asking ? (
        <Dialog
          title="Stop all replay?"
          onClose={() => setAsking(false)}
          actions={
            <>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button
                kind="danger"
                icon="stop"
                onClick={() => {
                  setAsking(false);
                  to('stopped');
                }}
              >
                Stop all replay
              </Button>
            </>
          }
        >
          <p>No target gets another request until replay goes on. What is under way may still reach its target.</p>
          <p className="quiet">Production is not touched either way. The comparison rests meanwhile.</p>
        </Dialog>
      ) : null}
    </Panel>
  );
}

function Changes(): ReactNode {
  return (
    <Panel title="Changes" aside={<span className="quiet small">the newest first</span>}>
      <Loaded query={useChanges()} what="the changes">
        {({ changes }) =>
          changes.length === 0 ? (
            <p className="quiet">Nothing was changed since the start.</p>
          ) : (
            <ol className="changes">
              {changes.slice(0, changesShown).map(({ time, who, text }) => (
                <li key={`${time} ${text}`}>
                  <Time iso={time} />
                  <span className="quiet">{who}</span>
                  <span>{text}</span>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Panel>
  );
}
