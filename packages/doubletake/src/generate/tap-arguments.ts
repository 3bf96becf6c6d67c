/** How a tap is started, in a unit as in a pod. */

export interface TapArguments {
  interfaceName: string;
  /** Where the mirror listens: host name or address, and port. */
  to: string;
  /** VXLAN network identifier of what it sends. */
  vni: number;
  /** Ports of production's servers; empty takes all. */
  ports: readonly number[];
}

/** The words of the command line behind the program. */
export function tapArguments({ interfaceName, to, vni, ports }: TapArguments): string[] {
  return ['tap', '--interface', interfaceName, '--to', to, '--vni', String(vni), ...ports.flatMap((port) => ['--port', String(port)])];
}
