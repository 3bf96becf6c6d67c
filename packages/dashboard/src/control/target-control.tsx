import { type ReactNode, useId, useState } from 'react';
import type { TargetHealth } from '../../../doubletake/src/server/api/overview.ts';
import { useTargetChange } from '../api/queries.ts';
import { Button } from '../parts/button.tsx';
import { Chip, StateChip } from '../parts/chip.tsx';
import { percent, rate } from '../parts/figures.ts';
import { Panel } from '../parts/panel.tsx';
import { RampSteps, shareText } from '../parts/ramp.tsx';
import { say } from '../parts/toasts.tsx';
import { usePermission } from '../shell/permission.ts';

/** A target's share: by a slider, off and on, or given back to what decided it before. */
export function TargetControl({ target }: { target: TargetHealth }): ReactNode {
  const { name, url, role, state, percentage, percentageBy, ramp, requestsPerSecond } = target;
  const [draft, setDraft] = useState<number | null>(null);
  /** What to go back to when it is switched on again. */
  const [before, setBefore] = useState<number | null>(null);
  const { because } = usePermission();
  const change = useTargetChange(name);
  const id = useId();
  const shown = draft ?? percentage;
  const pending = change.isPending ? 'A change is under way.' : null;
  const to = (wanted: number | null): void =>
    change.mutate(wanted, {
      onSuccess: ({ change: { text } }) => {
        setDraft(null);
        say('good', text);
      },
      onError: (error) => say('bad', error.message),
    });
  const off = percentage === 0;
  const owner = ramp === null ? 'its configuration' : 'its ramp';
  return (
    <Panel
      title={name}
      aside={
        <div className="row">
          {role === 'other' ? null : <Chip tone="quiet">{role}</Chip>}
          <StateChip state={state} />
        </div>
      }
    >
      <p className="quiet">
        <code>{url}</code>: {rate(requestsPerSecond)} requests/s; its share of what the policy lets through is {shareText(target)}
      </p>
      {ramp === null ? null : <RampSteps target={target} />}
      <div className="share">
        <label htmlFor={id}>Share</label>
        <input
          id={id}
          type="range"
          min={0}
          max={100}
          step={1}
          value={shown}
          disabled={because !== null}
          aria-valuetext={percent(shown / 100)}
          onChange={({ target: input }) => setDraft(Number(input.value))}
        />
        <span className="share-number">
          <input
            className="input"
            type="number"
            aria-label={`Share of ${name} in percent`}
            min={0}
            max={100}
            step="any"
            value={shown}
            disabled={because !== null}
            onChange={({ target: input }) => setDraft(Math.min(100, Math.max(0, Number(input.value))))}
          />{' '}
          %
        </span>
      </div>
      <div className="row">
        <Button
          kind="primary"
          because={because ?? pending ?? (draft === null || draft === percentage ? 'Move the slider first.' : null)}
          onClick={() => to(shown)}
        >
          {draft === null || draft === percentage ? 'Set the share' : `Set ${percent(shown / 100)}`}
        </Button>
        {off ? (
          <Button because={because ?? pending} onClick={() => to(before)}>
            Turn on
          </Button>
        ) : (
          <Button
            because={because ?? pending}
            onClick={() => {
              setBefore(percentageBy === 'hand' ? percentage : null);
              to(0);
            }}
          >
            Turn off
          </Button>
        )}
        {percentageBy === 'hand' ? (
          <Button because={because ?? pending} onClick={() => to(null)}>
            Give it back to {owner}
          </Button>
        ) : null}
        {draft === null ? null : (
          <Button kind="bare" onClick={() => setDraft(null)}>
            Undo
          </Button>
        )}
      </div>
    </Panel>
  );
}
