/** Throwaway certificates from a throwaway authority, made with the `openssl` program in a folder of their own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** The program that makes them. */
const openssl = 'openssl';

export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'doubletake-certificates-'));
  readonly file = join(this.folder, 'ca.pem');
  readonly pem: string;

  constructor() {
    this.#run('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority');
    this.pem = readFileSync(this.file, 'utf8');
  }

  /** Writes `NAME.pem` and `NAME.key` for the name or address, such as `DNS:name.test`; the common name is NAME. */
  issue(name: string, subjectAltName: string): { certificate: string; key: string } {
    this.#run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(this.folder, `${name}.ext`), `subjectAltName=${subjectAltName}\n`);
    const signing = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    this.#run(...signing, '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`);
    return { certificate: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(...args: string[]): void {
    execFileSync(openssl, args, { cwd: this.folder, stdio: 'pipe' });
  }
}
