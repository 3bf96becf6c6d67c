/**
 * Network namespaces with kernel devices, as a small copy of a mirrored network:
 *
 *     client -- veth -- production ==mirred==> vxlan device -- veth -- mirror
 *
 * What passes production's interface, in both directions, is copied by `tc ... mirred` into a kernel VXLAN device whose
 * other end is UDP port 4789 of the mirror's namespace. Names are unique to the process; `remove` takes everything away
 * again, and so does the end of the process.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';

export const labAddress = {
  client: '10.77.1.1',
  production: '10.77.1.2',
  /** Where the VXLAN packets come from, and where they go. */
  mirrorSource: '10.77.2.1',
  mirror: '10.77.2.2',
} as const;

export type Place = 'client' | 'production' | 'mirror';

/** Why there can be no lab on this machine, or null. */
export function labProblem(): string | null {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root';
  const missing = ['ip', 'tc', 'nginx'].filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (missing.length > 0) return `${missing.join(', ')} not installed (apt-get install iproute2 nginx)`;
  const probe = `doubletake-probe-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'network namespaces are not allowed here';
  spawnSync('ip', ['netns', 'del', probe]);
  return null;
}

export class NetworkLab {
  readonly #started = new Set<ChildProcess>();
  readonly #remove = (): void => this.#removeNamespaces();

  constructor(vni: number) {
    process.once('exit', this.#remove);
    for (const place of places) run('ip', 'netns', 'add', name(place));
    for (const place of places) ip(place, 'link', 'set', 'lo', 'up');
    connect('client', labAddress.client, 'production', labAddress.production, 1500);
    // Room for whole frames with the outer headers around them.
    connect('production', labAddress.mirrorSource, 'mirror', labAddress.mirror, 9000);
    const { mirror: remote, mirrorSource: local } = labAddress;
    const ends = ['local', local, 'remote', remote, 'dstport', '4789', 'dev', 'to-mirror', 'nolearning'];
    ip('production', 'link', 'add', 'vxlan0', 'mtu', '8900', 'type', 'vxlan', 'id', String(vni), ...ends);
    ip('production', 'link', 'set', 'vxlan0', 'up');
    tc('qdisc', 'add', 'dev', 'to-client', 'clsact');
    for (const direction of ['ingress', 'egress']) {
      const everything = ['protocol', 'all', 'u32', 'match', 'u32', '0', '0'];
      const copy = ['action', 'mirred', 'egress', 'mirror', 'dev', 'vxlan0'];
      tc('filter', 'add', 'dev', 'to-client', direction, ...everything, ...copy);
    }
  }

  /** Starts a program in a namespace; it is killed when the lab is removed. */
  spawn(place: Place, command: string, args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', name(place), command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#started.add(child);
    child.once('exit', () => this.#started.delete(child));
    return child;
  }

  /** Takes an interface of a place down, or up again. */
  setLink(place: Place, link: string, state: 'up' | 'down'): void {
    ip(place, 'link', 'set', link, state);
  }

  /** Takes an interface away, and with it the other end. */
  removeLink(place: Place, link: string): void {
    ip(place, 'link', 'del', link);
  }

  /** A further link between two places; each end is called after the other one's place. */
  connect(left: Place, leftAddress: string, right: Place, rightAddress: string): void {
    connect(left, leftAddress, right, rightAddress, 1500);
  }

  /** Ends every program that still runs, then takes the namespaces away, and with them their devices. */
  async remove(): Promise<void> {
    await Promise.all(
      [...this.#started].map(async (child) => {
        // Killed at once, nginx would leave its workers behind.
        child.kill('SIGTERM');
        const force = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
        await new Promise((resolve) => child.once('exit', resolve));
        clearTimeout(force);
      }),
    );
    process.off('exit', this.#remove);
    this.#removeNamespaces();
  }

  #removeNamespaces(): void {
    for (const place of places) spawnSync('ip', ['netns', 'del', name(place)]);
  }
}

const stopMsMax = 3_000;

const places: readonly Place[] = ['client', 'production', 'mirror'];

function name(place: Place): string {
  return `doubletake-${process.pid}-${place}`;
}

/** A veth pair between two namespaces; each end is called after the other one's place. */
function connect(left: Place, leftAddress: string, right: Place, rightAddress: string, mtu: number): void {
  const peer = ['peer', 'name', `to-${left}`, 'netns', name(right), 'mtu', String(mtu)];
  ip(left, 'link', 'add', `to-${right}`, 'mtu', String(mtu), 'type', 'veth', ...peer);
  ip(left, 'address', 'add', `${leftAddress}/24`, 'dev', `to-${right}`);
  ip(right, 'address', 'add', `${rightAddress}/24`, 'dev', `to-${left}`);
  ip(left, 'link', 'set', `to-${right}`, 'up');
  ip(right, 'link', 'set', `to-${left}`, 'up');
}

function ip(place: Place, ...args: string[]): void {
  run('ip', '-n', name(place), ...args);
}

function tc(...args: string[]): void {
  run('tc', '-n', name('production'), ...args);
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
