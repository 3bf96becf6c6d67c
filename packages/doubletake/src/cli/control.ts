/** `doubletake control`: the kill switch and the targets' percentages of a mirror that runs, by hand. */
import { request } from 'node:http';
import { Command } from 'commander';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { parsePercentage } from './flags.ts';
import { ledgerText } from './ledger-text.ts';

const timeoutMs = 10_000;

export function controlCommand(): Command {
  return new Command('control')
    .summary('stop and resume replay, or set a percentage, while a mirror runs')
    .description('Controls a running mirror that was started with --control PATH (or `control: PATH` in its configuration).')
    .addCommand(
      new Command('status')
        .summary('print the ledger as of now')
        .argument('<PATH>', 'where the mirror listens: its --control')
        .option('--json', 'as JSON')
        .action(async (path: string, { json }: { json?: boolean }) => {
          const report = (await ask(path, 'GET', '/status')) as LedgerReport;
          process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : ledgerText(report));
        }),
    )
    .addCommand(
      new Command('kill')
        .summary('stop all replay at once; capturing goes on')
        .argument('<PATH>', 'where the mirror listens: its --control')
        .action(async (path: string) => {
          await ask(path, 'POST', '/kill');
          process.stdout.write('all replay is stopped; `doubletake control resume` lets it go on\n');
        }),
    )
    .addCommand(
      new Command('resume')
        .summary('replay again what is captured from now on')
        .argument('<PATH>', 'where the mirror listens: its --control')
        .action(async (path: string) => {
          await ask(path, 'POST', '/resume');
          process.stdout.write('replay goes on\n');
        }),
    )
    .addCommand(
      new Command('percentage')
        .summary('give a target this percentage, or give it back to its ramp')
        .argument('<PATH>', 'where the mirror listens: its --control')
        .argument('<TARGET>', 'name of the target')
        .argument('<P>', 'from 0 to 100, or `auto` for what the ramp or the configuration says')
        .action(async (path: string, target: string, text: string) => {
          const percentage = text === 'auto' ? null : parsePercentage('P', text);
          await ask(path, 'POST', '/percentage', { target, percentage });
          process.stdout.write(`target ${target}: ${percentage === null ? 'its configuration decides again' : `${percentage} %`}\n`);
        }),
    );
}

/** Rejects with a `DoubletakeError` that says why it was not done. */
function ask(path: string, method: string, url: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new DoubletakeError('DT_CONTROL', `${path}: ${reason}`));
    const asked = request({ socketPath: path, method, path: url, headers: { 'content-type': 'application/json' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        const answer = JSON.parse(text) as { error?: string };
        if (response.statusCode === 200) resolve(answer);
        else fail(answer.error ?? `answered ${response.statusCode}`);
      });
    });
    asked.setTimeout(timeoutMs, () => asked.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)));
    asked.on('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        ENOENT: 'no mirror listens there; start it with --control PATH',
        ECONNREFUSED: 'the mirror that listened there is gone',
        EACCES: 'only the user who runs the mirror may control it',
      };
      fail(reasons[error.code ?? ''] ?? error.message);
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
