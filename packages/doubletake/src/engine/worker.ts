/**
 * A worker thread: a whole pipeline for each source, from packets to targets, sharing nothing with other workers but the
 * memory in which it publishes its counters, and that of the targets' rate limits.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DoubletakeError } from '../errors.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { WorkerRun } from './worker-run.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs in a worker thread only');

const say = (message: FromWorker): void => port.postMessage(message);
const run = new WorkerRun(workerData as WorkerStart, {
  warning: (text) => say({ type: 'warning', text }),
  notice: (text) => say({ type: 'notice', text }),
  production: (endpoint) => say({ type: 'production', endpoint }),
  exhausted: () => say({ type: 'exhausted' }),
  requests: (entries) => say({ type: 'requests', entries }),
});

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'abort':
      return run.abort();
    case 'production':
      return run.learnProduction(message.endpoint);
    case 'stop':
      return void run.stop(message.drainMs).then(() => port.close());
    default:
      run.obey(message);
      return say({ type: 'done' });
  }
});

try {
  say({ type: 'ready', addresses: await run.start() });
} catch (error) {
  if (!(error instanceof DoubletakeError)) throw error;
  say({ type: 'failed', code: error.code, text: error.message });
  await run.stop(0);
  port.close();
}
