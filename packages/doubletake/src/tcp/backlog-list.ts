import type { Backlog } from './backlog.ts';

/**
 * All backlogs of a flow table, from the oldest to the latest: the order in which they are given up for lack of memory.
 *
 * A removed backlog keeps its `newer` link, so that a walk survives the removal of the one it stands on.
 */
export class BacklogList {
  oldest: Backlog | null = null;
  count = 0;
  #newest: Backlog | null = null;

  add(backlog: Backlog): void {
    backlog.older = this.#newest;
    backlog.newer = null;
    if (this.#newest === null) this.oldest = backlog;
    else this.#newest.newer = backlog;
    this.#newest = backlog;
    backlog.linked = true;
    this.count++;
  }

  remove(backlog: Backlog): void {
    if (backlog.older === null) this.oldest = backlog.newer;
    else backlog.older.newer = backlog.newer;
    if (backlog.newer === null) this.#newest = backlog.older;
    else backlog.newer.older = backlog.older;
    backlog.linked = false;
    this.count--;
  }
}
