/** Makes a rule of a difference: what it would hide is looked at before it is saved. */
import { type ReactNode, useEffect, useState } from 'react';
import type { ClusterRow } from '../../../doubletake/src/server/api/clusters.ts';
import type { RulePreview } from '../../../doubletake/src/server/api/rules.ts';
import { useAddRule, useRulePreview, useRules } from '../api/queries.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Choice, Field } from '../parts/fields.tsx';
import { count, percent, plural } from '../parts/figures.ts';
import { Loading, Notice } from '../parts/states.tsx';
import { say } from '../parts/toasts.tsx';
import { type RuleDraft, ruleOf } from './rule-draft.ts';

const typingMs = 400;
const listedMax = 8;

interface RuleDialogProps {
  suggested: { name: string; endpoint: string; path: string };
  cluster: ClusterRow;
  effect: 'ignore' | 'tolerate';
  onClose: () => void;
  onSaved: () => void;
}

export function RuleDialog({ suggested, cluster, effect, onClose, onSaved }: RuleDialogProps): ReactNode {
  const [draft, setDraft] = useState<RuleDraft>({ ...suggested, effect, toleranceBy: 'relative', tolerance: '1' });
  const change = (changes: Partial<RuleDraft>): void => setDraft({ ...draft, ...changes });
  const rule = ruleOf(draft);
  const wrong = typeof rule === 'string' ? rule : null;
  const wanted = JSON.stringify(rule);
  const { mutate: ask, data: preview, error, isPending, reset } = useRulePreview();
  const [previewed, setPreviewed] = useState('');
  const rules = useRules().data;
  const add = useAddRule();

  useEffect(() => {
    if (wrong !== null) return;
    const timer = window.setTimeout(() => {
      reset();
      ask(JSON.parse(wanted), { onSettled: () => setPreviewed(wanted) });
    }, typingMs);
    return () => window.clearTimeout(timer);
  }, [wanted, wrong, ask, reset]);

  const fresh = previewed === wanted && preview !== undefined;
  const unsaved = wrong ?? (rules?.file === null ? 'There is no rules file to save it in: name one with compare.rulesFile.' : fresh ? null : 'Wait for what it would hide.');
  const save = (): void => {
    if (typeof rule === 'string') return;
    add.mutate(rule, {
      onSuccess: () => {
        say('good', `The rule ${rule.name} is saved and holds from now on.`);
        onSaved();
      },
    });
  };
  return (
    <Dialog
      title="A rule for this difference"
      wide
      onClose={onClose}
      actions={
        <>
          {preview === undefined ? null : (
            <CopyButton text={preview.yaml} what="The rule">
              Copy as YAML
            </CopyButton>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" because={add.isPending ? 'It is being saved.' : unsaved} onClick={save}>
            Save the rule
          </Button>
        </>
      }
    >
      <Form draft={draft} change={change} cluster={cluster} />
      {rules?.file === null ? (
        <Notice tone="unsure">
          There is no rules file, so that it cannot be saved here. Copy it as YAML into the configuration, or name a file with <code>compare.rulesFile</code>.
        </Notice>
      ) : null}
      <div className="preview" aria-live="polite" aria-busy={isPending}>
        {wrong !== null ? <p>{wrong}</p> : error !== null ? <Notice tone="bad">{error.message}</Notice> : preview === undefined ? <Loading what="what it would hide" /> : <Preview preview={preview} />}
      </div>
      {add.isError ? <Notice tone="bad">{add.error.message}</Notice> : null}
    </Dialog>
  );
}

function Form({ draft, change, cluster }: { draft: RuleDraft; change: (changes: Partial<RuleDraft>) => void; cluster: ClusterRow }): ReactNode {
  const { name, effect, endpoint, path, toleranceBy, tolerance } = draft;
  return (
    <div className="rule-form">
      <div className="whole row">
        <Choice
          label="What the rule does"
          value={effect}
          onChoose={(chosen) => change({ effect: chosen })}
          choices={[
            ['ignore', 'Ignore it'],
            ['tolerate', 'Tolerate'],
            ['unordered', 'Any order'],
          ]}
        />
        <Choice
          label="For which endpoints"
          value={endpoint === '' ? 'all' : 'one'}
          onChoose={(chosen) => change({ endpoint: chosen === 'all' ? '' : cluster.endpoint })}
          choices={[
            ['one', 'This endpoint'],
            ['all', 'Every endpoint'],
          ]}
        />
      </div>
      {effect === 'tolerate' ? (
        <Field label="How far apart the values may be">
          {(ids) => (
            <div className="row">
              <input {...ids} className="input tolerance" inputMode="decimal" value={tolerance} onChange={({ target }) => change({ tolerance: target.value })} />
              <Choice
                label="Unit"
                value={toleranceBy}
                onChoose={(chosen) => change({ toleranceBy: chosen })}
                choices={[
                  ['relative', '%'],
                  ['absolute', 'absolute'],
                ]}
              />
            </div>
          )}
        </Field>
      ) : null}
      <Field label="Path">
        {(ids) => <input {...ids} className="input mono" value={path} spellCheck={false} onChange={({ target }) => change({ path: target.value })} />}
      </Field>
      <Field label="Name">{(ids) => <input {...ids} className="input" value={name} maxLength={64} onChange={({ target }) => change({ name: target.value })} />}</Field>
      {endpoint === '' ? null : (
        <p className="whole quiet small">
          Of <code>{endpoint}</code>
        </p>
      )}
    </div>
  );
}

function Preview({ preview: { pairs, hiddenDifferences, hiddenPairs, remainingPairs, endpoints, clusters, yaml } }: { preview: RulePreview }): ReactNode {
  if (hiddenDifferences === 0) {
    return (
      <p>
        <b>It would hide nothing</b> of the {plural(pairs, 'pair')} that are stored. Is the path right?
      </p>
    );
  }
  const others = clusters.filter(({ hiddenShare }) => hiddenShare > 0);
  return (
    <>
      <div className="preview-numbers">
        <span>
          hides <b>{count(hiddenDifferences)}</b> differences
        </span>
        <span>
          makes <b>{count(hiddenPairs)}</b> of {plural(pairs, 'pair')} equal
        </span>
        <span>
          <b>{count(remainingPairs)}</b> still {remainingPairs === 1 ? 'differs' : 'differ'}
        </span>
      </div>
      <ul className="small">
        {others.slice(0, listedMax).map(({ id, endpoint, path, cause, hiddenShare }) => (
          <li key={id}>
            {percent(hiddenShare)} of <code>{endpoint}</code> <code className="path">{path}</code>: {cause}
          </li>
        ))}
        {others.length > listedMax ? <li>and {plural(others.length - listedMax, 'more difference')}</li> : null}
      </ul>
      {endpoints.length > 1 ? <p className="small">It touches {plural(endpoints.length, 'endpoint')}.</p> : null}
      <details>
        <summary className="small">As it will stand in the rules file</summary>
        <pre tabIndex={0}>{yaml}</pre>
      </details>
    </>
  );
}
