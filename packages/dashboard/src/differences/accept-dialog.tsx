import { type ReactNode, useState } from 'react';
import type { ClusterRow } from '../../../doubletake/src/server/api/clusters.ts';
import { useAcceptance } from '../api/queries.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/fields.tsx';
import { Notice } from '../parts/states.tsx';
import { say } from '../parts/toasts.tsx';

const noteMax = 500;

/** By hand: this difference alone is meant, and counts no more. */
export function AcceptDialog({ cluster: { id, endpoint, path, cause }, onClose }: { cluster: ClusterRow; onClose: () => void }): ReactNode {
  const [note, setNote] = useState('');
  const accept = useAcceptance(id);
  const save = (): void =>
    accept.mutate(
      { note },
      {
        onSuccess: () => {
          say('good', 'Accepted: it counts no more.');
          onClose();
        },
      },
    );
  return (
    <Dialog
      title="Accept this difference"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" because={accept.isPending ? 'It is being saved.' : null} onClick={save}>
            Accept
          </Button>
        </>
      }
    >
      <p>
        <code>{endpoint}</code> <code className="path">{path}</code>: {cause}
      </p>
      <p className="quiet">It counts no more: its endpoint is judged anew from now on. That can be taken back.</p>
      <Field label="Why (others will read it)">
        {(ids) => <textarea {...ids} className="input" rows={3} maxLength={noteMax} value={note} onChange={({ target }) => setNote(target.value)} placeholder="The new format is intended, see …" />}
      </Field>
      {accept.isError ? <Notice tone="bad">{accept.error.message}</Notice> : null}
    </Dialog>
  );
}
