/** What passes an interface of this machine, from packet rings that share it by connection. */
import type { MirrorConfig } from '../config/schema.ts';
import type { InterfaceConfig } from '../config/source-schema.ts';
import { RingSource } from '../sources/ring-source.ts';
import { buildCaptureFilter, excludedMax } from '../system/capture-filter.ts';
import { needLibc } from '../system/libc.ts';
import { openPacketSockets } from '../system/packet-socket.ts';
import { attachFilter } from '../system/socket-options.ts';
import { OwnTraffic } from './own-traffic.ts';
import type { Pipeline } from './pipeline.ts';
import { type BoundSource, type RunningSource, runNetworkSource, type SourceStart } from './running-source.ts';

const purpose = 'capturing on an interface';

/** Link types of the tcpdump.org registry. */
const linkEthernet = 1;
const linkRawIp = 101;

/** Opens a ring for each worker. Packets of one connection come to one ring; those in tunnels would not. */
export async function bindInterface(config: InterfaceConfig, { targets, workers }: MirrorConfig): Promise<BoundSource> {
  const { name, promiscuous, tunnels, ports, ring } = config;
  const libc = needLibc(purpose);
  const count = tunnels ? 1 : workers;
  const descriptors = openPacketSockets(
    libc,
    { interfaceName: name, ringBytes: ring, promiscuous },
    { count, program: null, defragment: count > 1 },
  );
  const leaveOutOwn = (): void => {
    const filter = buildCaptureFilter({ ports, tunnels, exclude: own.endpoints });
    for (const descriptor of descriptors) attachFilter(libc, descriptor, filter);
  };
  const own = new OwnTraffic(leaveOutOwn);
  await own.follow(targets.map(({ url }) => new URL(url)));
  leaveOutOwn();
  const tooMany = own.endpoints.length > excludedMax;
  const warning =
    `the targets have more than ${excludedMax} addresses: some of what is replayed to them will be seen, ` +
    'and counted as blocked.loop';
  return {
    descriptors,
    address: `interface=${name}`,
    warnings: tooMany ? [warning] : [],
    followTargets: (urls) => own.follow(urls),
    close: () => own.close(),
  };
}

/** Starts the source in a worker, on a ring that the main thread opened. */
export function startInterface(
  { name, ring: ringBytes }: InterfaceConfig,
  { descriptor, pipeline, warn }: SourceStart,
): RunningSource | null {
  if (descriptor === null) return null;
  const source = new RingSource(needLibc(purpose), {
    descriptor,
    interfaceName: name,
    ringBytes,
    onPacket: frameListener(pipeline),
    onWarning: warn,
  });
  const running = { kernelDrops: () => source.kernelDrops, close: () => source.close() };
  return runNetworkSource(`interface=${name}`, pipeline, running);
}

function frameListener(pipeline: Pipeline): ConstructorParameters<typeof RingSource>[1]['onPacket'] {
  return ({ bytes, start, end, originalLength, hasEthernet, timeUs, vlanTag }) => {
    const vlan = vlanTag < 0 ? 0 : vlanTag & 0xfff;
    pipeline.frame(bytes, start, end, originalLength, hasEthernet ? linkEthernet : linkRawIp, timeUs, vlan);
  };
}
