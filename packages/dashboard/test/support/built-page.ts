/** The page that tests look at is that of the sources as they are. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../', import.meta.url));
export const pageFolder = join(folder, '../doubletake/dist/page');

/** Builds it, where that was not done since the last change. */
export function ensureBuilt(): void {
  if (newestIn(join(folder, 'src'), join(folder, 'public'), join(folder, 'index.html'), join(folder, 'vite.config.ts')) < newestIn(pageFolder)) return;
  const vite = join(createRequire(import.meta.url).resolve('vite/package.json'), '../bin/vite.js');
  // As for users: this process is one of tests, for which React would bring all that helps to find mistakes.
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'error'], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** When anything in these files and folders changed last; 0 where there is nothing. */
function newestIn(...paths: string[]): number {
  return Math.max(
    0,
    ...paths.flatMap((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return [];
      return stat.isDirectory() ? readdirSync(path).map((name) => newestIn(join(path, name))) : [stat.mtimeMs];
    }),
  );
}
