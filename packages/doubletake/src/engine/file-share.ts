/**
 * Which worker replays what of files that several read. Each reads all of them and takes the connections that are its
 * own, so that those keep their order, and what depends on all requests (where a window begins, how long a loop takes)
 * comes out the same in each.
 */
import type { MirrorConfig, SourceConfig } from '../config/schema.ts';

/** The worker with this index, from 0, of so many. */
export interface FileShare {
  index: number;
  of: number;
}

/** Whether a connection is one of this share's; `key` as in `RecordedConnection`. */
export function takesConnection({ index, of }: FileShare, key: string): boolean {
  if (of === 1) return true;
  // FNV-1a: keys of one file may differ in their last characters alone.
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  return (hash >>> 0) % of === index;
}

/** How much of `count`, at which all shares have arrived, is this share's: their sum is `count`. */
export function partOf(count: number, { index, of }: FileShare): number {
  return Math.floor((count + index) / of);
}

/** What a worker takes of a source that is not divided by the kernel; null when another worker has it alone. */
export function shareOf(source: SourceConfig, { targets, workers }: MirrorConfig, index: number): FileShare | null {
  if (isReadByAll(source, targets)) return { index, of: workers };
  return index === 0 ? { index: 0, of: 1 } : null;
}

/**
 * Whether all workers read a source. Standard input can be read but once, and a pace is kept by one worker: several
 * would have to agree on when each request is due.
 */
export function isReadByAll(source: SourceConfig, targets: MirrorConfig['targets']): boolean {
  if (!('files' in source) || source.files.paths.includes('-')) return false;
  return targets.every(({ speed, rate }) => speed === undefined && rate === undefined);
}
