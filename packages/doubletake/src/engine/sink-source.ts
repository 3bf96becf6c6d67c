/** The mirror sink as a source: proxies send it copies of their requests. */
import { type HostPort, hostPortText } from '../host-port.ts';
import { openHttpSink, reserveTcpPort } from '../sources/http-sink.ts';
import { numericAddress } from './numeric-address.ts';
import type { RunningSource } from './running-source.ts';
import type { SinkIntake } from './sink-intake.ts';

/** The port that all workers are to listen on, known to be free; null where workers cannot share one. */
export async function reserveSinkPort({ host, port }: HostPort, workers: number): Promise<number | null> {
  if (workers === 1 || process.platform !== 'linux') return null;
  return reserveTcpPort(await numericAddress(host), port);
}

/** How long a stop waits for requests that are being sent: the proxy that sends them does so at once. */
const sinkGraceMs = 1_000;

/** Opens the sink in a worker, on a port of its own or on the one that all share. */
export async function startHttpSink(
  { host, port }: HostPort,
  sharedPort: number | null,
  intake: SinkIntake,
): Promise<RunningSource> {
  const sink = await openHttpSink({
    host: await numericAddress(host),
    port: sharedPort ?? port,
    shared: sharedPort !== null,
    open: intake.open,
  });
  intake.countWith(sink.counters);
  return {
    address: `http-sink=${hostPortText({ host: sink.address, port: sink.port })}`,
    exhausted: new Promise(() => {}),
    kernelDrops: () => 0,
    close: () => sink.close(sinkGraceMs),
  };
}
