/**
 * A machine on which a start script runs without harm: everything is written below a folder (DESTDIR), and in front of the
 * PATH stand programs that only note how they were called, but for those that fetch and install.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Started {
  code: number;
  stderr: string;
  /** The commands that would have changed the machine, in order. */
  calls: string[];
  /** What became of a file, by its path on the machine; null where there is none. */
  file(path: string): string | null;
}

const noting = 'dnf useradd systemctl sysctl chgrp curl cfn-signal amazon-cloudwatch-agent-ctl';

export interface InstanceOptions {
  /** The packed package, which its npm and its S3 hold. */
  tarball: string;
  /** Packages are installed, which takes a while; else npm, too, only notes how it was called. */
  installs: boolean;
}

/** Runs `script` in `folder`, which it fills. */
export function startInstance(script: string, folder: string, { tarball, installs }: InstanceOptions): Promise<Started> {
  const bin = join(folder, 'bin');
  const root = join(folder, 'root');
  const callsFile = join(folder, 'calls');
  mkdirSync(bin, { recursive: true });
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/bash\nset -e\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  for (const name of noting.split(' ')) program(name, `echo "${name} $*" >>'${callsFile}'`);
  // The user is not there yet.
  program('id', 'exit 1');
  program('aws', `case "$1" in secretsmanager) echo ${secret} ;; s3) cp '${tarball}' "\${@: -1}" ;; ssm) cat '${join(folder, 'parameter')}' ;; esac`);
  const quick = '--prefer-offline --fetch-retries 1 --fetch-retry-mintimeout 500 --fetch-timeout 30000';
  const install = installs ? `exec npm "$@" ${quick}` : `echo "npm-24 $*" >>'${callsFile}'`;
  program('npm-24', `if [ "$1" = pack ]; then cp '${tarball}' packed.tgz && echo packed.tgz; else ${install}; fi`);
  return new Promise((resolve) => {
    const env = { ...process.env, DESTDIR: root, PATH: `${bin}:${process.env['PATH']}` };
    const child = execFile('bash', ['-s'], { cwd: folder, env, encoding: 'utf8' }, (error, _stdout, stderr) => {
      const calls = existsSync(callsFile) ? readFileSync(callsFile, 'utf8').trimEnd().split('\n') : [];
      const file = (path: string): string | null => (existsSync(root + path) ? readFileSync(root + path, 'utf8') : null);
      resolve({ code: error === null ? 0 : Number(error.code), stderr, calls, file });
    });
    child.stdin?.end(script);
  });
}

/** What the stack's secret holds. */
export const secret = 'a-secret-that-is-long-enough';
