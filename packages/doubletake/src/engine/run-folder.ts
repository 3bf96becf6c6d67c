/** Where the run of a mirror is written that may be started again, by a service manager for example. */

/**
 * `{{time}}` in the folder of a run becomes the time of the start, in UTC and without characters that a file system may
 * not take: `20261121T093000Z`. Names made so sort by time.
 */
export function runFolder(folder: string, startedAt: Date): string {
  const time = startedAt.toISOString().replace(/[-:]|\.\d+/g, '');
  return folder.replaceAll('{{time}}', time);
}
