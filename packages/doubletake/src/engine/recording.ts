/** From `record` in the configuration to what it takes of the other stages. */
import { readFileSync } from 'node:fs';
import { keyCharsMin } from '../config/record-schema.ts';
import type { MirrorConfig } from '../config/schema.ts';
import type { RecorderOptions } from '../recording/recorder.ts';
import { fileProblem, RecordingError } from '../recording/recording-error.ts';

type RecordConfig = NonNullable<MirrorConfig['record']>;

/** Reads the key's file. Throws RecordingError DT_RECORDING_KEY. */
export function recorderOptions({ directory, key, keyFile, rotate, retain }: RecordConfig): RecorderOptions {
  return {
    directory,
    key: key ?? (keyFile === undefined ? null : readRecordingKey(keyFile)),
    rotateBytes: rotate.bytes,
    rotateMs: rotate.ms,
    retain: { ageMs: retain.ageMs ?? null, bytes: retain.bytes ?? null },
  };
}

/** The key to read recordings with: that of a file, else that of the environment; null when there is none. Throws RecordingError DT_RECORDING_KEY. */
export function recordingKey(keyFile: string | undefined, environment: NodeJS.ProcessEnv): string | null {
  return keyFile === undefined ? (environment['DOUBLETAKE_RECORDING_KEY'] ?? null) : readRecordingKey(keyFile);
}

/** The text of a key's file without the white space around it. Throws RecordingError DT_RECORDING_KEY. */
function readRecordingKey(file: string): string {
  let key;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new RecordingError('DT_RECORDING_KEY', `cannot read the key in ${file}: ${fileProblem(error)}`, { cause: error });
  }
  if (key.length >= keyCharsMin) return key;
  throw new RecordingError('DT_RECORDING_KEY', `the key in ${file} is too short: it takes at least ${keyCharsMin} characters`);
}
