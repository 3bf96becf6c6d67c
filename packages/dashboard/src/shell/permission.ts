/** What whoever looks at the page may do. */
import { createContext, useContext } from 'react';
import type { Session } from '../../../doubletake/src/server/api/session.ts';

export interface Permission {
  /** Why nothing can be changed, in words; null where it can. */
  because: string | null;
}

export const PermissionContext = createContext<Permission>({ because: 'Not signed in.' });

export function usePermission(): Permission {
  return useContext(PermissionContext);
}

export function permissionOf({ role, mode }: Session): Permission {
  if (mode === 'finished') return { because: 'This run has ended; nothing of it can be changed.' };
  if (role !== 'operator') return { because: 'You are signed in as a reader. Sign in with the operator token to change something.' };
  return { because: null };
}
