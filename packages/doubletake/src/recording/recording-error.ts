import { DoubletakeError } from '../errors.ts';

export type RecordingErrorCode =
  | 'DT_RECORDING_DAMAGED'
  | 'DT_RECORDING_KEY'
  | 'DT_RECORDING_NOT_FOUND'
  | 'DT_RECORDING_NOT_RECOGNISED'
  | 'DT_RECORDING_UNREADABLE'
  | 'DT_RECORDING_WRITE';

/** A recording cannot be read or written as asked. */
export class RecordingError extends DoubletakeError<RecordingErrorCode> {
  override name = 'RecordingError';
}

/** What the system says of a file, in words where users meet it often. */
export function fileProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Record<string, string> = {
    ENOENT: 'it is not there',
    ENOTDIR: 'a part of the path is no folder',
    EEXIST: 'a file of that name is in the way',
    EACCES: 'no permission',
    EPERM: 'no permission',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space is left on the disk',
    EDQUOT: 'the disk quota is used up',
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}
