/** What can be wrong with a file of recorded traffic as a whole; what is wrong with an entry is an `EntryProblem`. */
import { DoubletakeError } from '../../errors.ts';

export type TrafficFileErrorCode =
  /** It cannot be opened or read. */
  | 'DT_TRAFFIC_UNREADABLE'
  /** It is in none of the formats that are read. */
  | 'DT_TRAFFIC_NOT_RECOGNISED'
  /** What was to be written cannot be. */
  | 'DT_TRAFFIC_WRITE';

export class TrafficFileError extends DoubletakeError<TrafficFileErrorCode> {
  constructor(code: TrafficFileErrorCode, path: string, detail: string, options: ErrorOptions = {}) {
    super(code, `${path === '-' ? 'standard input' : path}: ${detail}`, options);
    this.name = 'TrafficFileError';
  }

  /** From what the file system said. */
  static unreadable(path: string, error: unknown): TrafficFileError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'no permission to read it',
      EISDIR: 'is a directory that holds no recording and no file to read',
    };
    const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
    return new TrafficFileError('DT_TRAFFIC_UNREADABLE', path, `cannot be read: ${reason}`, { cause: error });
  }
}
