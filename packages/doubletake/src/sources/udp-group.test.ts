import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { loadLibc } from '../system/libc.ts';
import { buildSteeringProgram } from '../system/steering.ts';
import { bindUdpGroup } from './udp-group.ts';
import { openUdpSource } from './udp-source.ts';

const workerScript = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.module).then(async ({ openUdpSource }) => {
    await openUdpSource({ host: '', port: 0, descriptor: workerData.descriptor,
      onDatagram: (bytes, start, end) => parentPort.postMessage(bytes.toString('latin1', start, end)) });
    parentPort.postMessage('ready');
  });`;

describe.skipIf(!('libc' in loadLibc()))('UDP group and worker threads', () => {
  test('a worker reads the descriptor that the main thread bound, and its successor goes on after it died', async () => {
    const program = buildSteeringProgram({ tunnel: 'vxlan', workers: 2 });
    const group = bindUdpGroup({ host: '127.0.0.1', port: 0, count: 2, program });
    const [descriptor = -1, other = -1] = group.descriptors;
    const module = new URL('./udp-source.ts', import.meta.url).href;
    const sender = createSocket('udp4');
    try {
      for (const message of ['first', 'second']) {
        const worker = new Worker(workerScript, { eval: true, workerData: { module, descriptor } });
        expect(await once(worker, 'message')).toEqual(['ready']);
        // Too short to hold a connection: the program gives it to worker 0.
        sender.send(message, group.port, '127.0.0.1');
        expect(await once(worker, 'message')).toEqual([message]);
        await worker.terminate();
      }
    } finally {
      sender.close();
      for (const left of [descriptor, other]) {
        await (await openUdpSource({ host: '', port: 0, descriptor: left, onDatagram: () => undefined })).close();
      }
    }
  });
});
