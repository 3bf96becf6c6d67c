/** A small text file that several programs read and change; whatever fails is a `DoubletakeError` DT_RULES_FILE. */
import { closeSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DoubletakeError } from '../errors.ts';

const fileBytesMax = 1_048_576;
/** A change is done within milliseconds; one that is older was broken off. */
const lockMsMax = 10_000;
const lockTriesMax = 50;
const lockEveryMs = 20;

/** Null when there is no file. */
export function readText(file: string): string | null {
  try {
    if (statSync(file).size > fileBytesMax) throw fileError(file, 'is larger than 1 MiB; this cannot be a file of rules');
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof DoubletakeError) throw error;
    if (isCode(error, 'ENOENT')) return null;
    throw fileError(file, `cannot be read: ${reasonOf(error)}`, error);
  }
}

/** Readers see the text before or after, never half of it. */
export function writeText(file: string, text: string): void {
  const part = `${file}.${process.pid}.part`;
  try {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0o644;
    writeFileSync(part, text, { mode, flush: true });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw fileError(file, `cannot be written: ${reasonOf(error)}`, error);
  }
}

/** One after the other, also of several programs. Throws a `DoubletakeError` DT_RULES_FILE when the file is not let go. */
export async function locked<T>(file: string, work: () => T): Promise<T> {
  const lock = `${file}.lock`;
  for (let tries = 0; !tryLock(file, lock); tries++) {
    if (tries === lockTriesMax) throw fileError(file, `is being changed by another program; if none does, remove ${lock}`);
    await delay(lockEveryMs);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function tryLock(file: string, lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw fileError(file, `cannot be written: ${reasonOf(error)}`, error);
    const sinceMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - sinceMs > lockMsMax) rmSync(lock, { force: true });
    return false;
  }
}

/** What a link leads to, so that the link stays one. */
export function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function fileError(file: string, text: string, cause?: unknown): DoubletakeError {
  return new DoubletakeError('DT_RULES_FILE', `${file}: ${text}`, { cause });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
