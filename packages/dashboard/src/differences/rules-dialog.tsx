import type { ReactNode } from 'react';
import type { RuleList } from '../../../doubletake/src/server/api/rules.ts';
import { useRemoveRule, useRules } from '../api/queries.ts';
import { Link } from '../navigation/link.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { plural } from '../parts/figures.ts';
import { Loaded, Notice } from '../parts/states.tsx';
import { usePermission } from '../shell/permission.ts';

/** What does not count: by rule, and because somebody accepted it. */
export function RulesDialog({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <Dialog title="What does not count" wide onClose={onClose} actions={<Button onClick={onClose}>Close</Button>}>
      <Loaded query={useRules()} what="the rules">
        {(list) => <Rules list={list} />}
      </Loaded>
    </Dialog>
  );
}

function Rules({ list: { rules, accepted, file } }: { list: RuleList }): ReactNode {
  const { because } = usePermission();
  const remove = useRemoveRule();
  // Said here: in front of the page there is this dialog alone.
  const said = remove.isSuccess ? `The rule ${remove.variables} is removed.` : '';
  return (
    <>
      <h3>Rules</h3>
      {file === null ? (
        <Notice tone="plain">
          There is no rules file, so that none can be saved here: name one in the configuration with <code>compare.rulesFile</code>.
        </Notice>
      ) : (
        <p className="quiet small">
          Those made here are in <code>{file}</code>. To make one, open a difference.
        </p>
      )}
      {rules.length === 0 ? <p>There are no rules: whatever differs beyond noise counts.</p> : null}
      <ul className="plain-list">
        {rules.map(({ name, from, text, hidden, pairs }) => (
          <li key={name} className="row spread">
            <div>
              <b>{name}</b> <span className="quiet small">{from}</span>
              <div>{text}</div>
              <div className="quiet small">
                {hidden === 0 ? 'hid nothing so far' : `hid ${plural(hidden, 'difference')} in ${plural(pairs, 'pair')}`}
              </div>
            </div>
            {from === 'rules file' ? (
              <Button kind="danger" because={because} onClick={() => remove.mutate(name)}>
                Remove
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      <p role="status" className={said === '' ? 'unseen' : undefined}>
        {said}
      </p>
      {remove.isError ? <Notice tone="bad">{remove.error.message}</Notice> : null}
      <h3>Accepted</h3>
      {accepted.length === 0 ? <p>Nothing was accepted by hand.</p> : null}
      <ul className="plain-list">
        {accepted.map(({ cluster, text, note }) => (
          <li key={cluster}>
            <Link href={`/differences/${encodeURIComponent(cluster)}`}>{text}</Link>
            {note === '' ? null : <div className="quiet">“{note}”</div>}
          </li>
        ))}
      </ul>
    </>
  );
}
