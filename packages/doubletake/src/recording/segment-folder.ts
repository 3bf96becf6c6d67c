/** The folder of a recording: names of segments, and what is kept of them. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const extension = '.dtrec';
const namePattern = /^\d{8}T\d{6}Z-[0-9a-f]{8}-\d{6}\.dtrec$/;

/** `20260101T000000Z-1f2e3d4c-000001.dtrec`: names in order are segments in order. `run` is eight hexadecimal digits. */
export function segmentName(createdMs: number, run: string, number: number): string {
  const time = new Date(createdMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${run}-${String(number).padStart(6, '0')}${extension}`;
}

/** Names of the segments in a folder, in order. Throws what the file system throws. */
export function segmentsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(extension)).toSorted();
}

export interface RetentionRule {
  /** Segments that were last written longer ago are removed; null for no such bound. */
  ageMs: number | null;
  /** The oldest are removed until those that are left take no more than this; null for no such bound. */
  bytes: number | null;
}

/** Removes what is beyond the bounds, only files that have a name of ours, never `current`; returns their names. */
export function retain(folder: string, { ageMs, bytes }: RetentionRule, current: string | null, nowMs: number): string[] {
  const removed: string[] = [];
  const segments = readdirSync(folder)
    .filter((name) => namePattern.test(name))
    .toSorted()
    .flatMap((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      return found === undefined ? [] : [{ name, bytes: found.size, modifiedMs: found.mtimeMs }];
    });
  let sum = segments.reduce((total, segment) => total + segment.bytes, 0);
  for (const segment of segments) {
    const tooOld = ageMs !== null && nowMs - segment.modifiedMs > ageMs;
    const tooMuch = bytes !== null && sum > bytes;
    if (segment.name === current || (!tooOld && !tooMuch)) continue;
    rmSync(join(folder, segment.name), { force: true });
    sum -= segment.bytes;
    removed.push(segment.name);
  }
  return removed;
}
