/** Configuration files for end-to-end tests, in a folder that goes when the test file ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type RunningMirror, startMirror } from './mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-configured-'));
let files = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path in the folder that nothing has been written to. */
export function freePath(extension: string): string {
  return join(folder, `${files++}${extension}`);
}

/** Writes a configuration, over `file` when it is given; returns its path. */
export function configFile(config: object, file = freePath('.json')): string {
  writeFileSync(file, JSON.stringify(config));
  return file;
}

export interface ConfiguredMirror extends RunningMirror {
  /** The configuration file, and the socket for `doubletake control`. */
  file: string;
  control: string;
}

/** Starts a mirror that takes VXLAN packets, with the rest as in `config`. */
export async function startConfigured(config: object): Promise<ConfiguredMirror> {
  const control = freePath('.sock');
  const file = configFile({ sources: [{ vxlan: { listen: '127.0.0.1:0' } }], control, ...config });
  return Object.assign(await startMirror([file]), { file, control });
}
