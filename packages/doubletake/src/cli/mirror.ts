/** `doubletake mirror`: capture, make safe, replay; until stopped. */
import { Command, Option } from 'commander';
import { buildConfig, readConfigFile } from '../config/load.ts';
import type { MirrorConfig } from '../config/schema.ts';
import { parseListen, parseProxy } from './flags.ts';
import { type ConfigFlags, overridesOf } from './mirror-flags.ts';
import { createReporter } from './reporter.ts';
import { addPacketOptions, addPolicyOptions, addRunOptions, addTargetOptions, list, workersOption } from './shared-options.ts';

export function mirrorCommand(): Command {
  const command = new Command('mirror')
    .summary('capture traffic and replay it to a test environment, until stopped')
    .description(
      'Takes a copy of production HTTP traffic, rebuilds the requests and replays them to one or more targets.\n' +
        'Production is never called. Only GET, HEAD and OPTIONS are replayed unless --methods says otherwise.',
    )
    .argument('[CONFIG.yaml]', 'configuration file, YAML or JSON (docs/configuration.md); flags beside it override it')
    .optionsGroup('Sources:')
    .addOption(
      new Option('--vxlan <[HOST:]PORT>', 'receive VXLAN packets, as AWS VPC Traffic Mirroring sends them; repeatable')
        .argParser(list((text) => parseListen('--vxlan', text))),
    )
    .addOption(
      new Option('--geneve <[HOST:]PORT>', 'receive GENEVE packets, as AWS gateway load balancer endpoints and GCP send them (usual port: 6081); repeatable')
        .argParser(list((text) => parseListen('--geneve', text))),
    )
    .addOption(
      new Option('--interface <IF>', 'take what passes this network interface, or any; on Linux with CAP_NET_RAW; repeatable')
        .argParser(list((name) => name)),
    )
    .addOption(
      new Option('--receive <HOW>', 'take VXLAN and GENEVE packets from a UDP socket (default), or from the interface\'s packet ring, which costs less at the highest rates')
        .choices(['socket', 'ring']),
    )
    .addOption(
      new Option('--http-sink <[HOST:]PORT>', 'take the copies that a proxy sends (doubletake generate prints its configuration); repeatable')
        .argParser(list((text) => parseListen('--http-sink', text))),
    )
    .addOption(
      new Option('--pcap <FILE>', 'read a capture file (pcap, pcapng, also gzipped; - is standard input) as fast as the targets answer, then stop; repeatable')
        .argParser(list((file) => file)),
    )
    .addOption(
      new Option('--proxy <[HOST:]PORT=URL>', 'relay every TCP connection to production at this URL, bytes unchanged, and take a copy (docs/tee-proxy.md); repeatable')
        .argParser(list((text) => parseProxy('--proxy', text))),
    );
  addPacketOptions(command);
  addTargetOptions(command);
  addPolicyOptions(command);
  command
    .optionsGroup('Running:')
    .addOption(workersOption('worker threads; one serves about 20,000 requests/s (default: 1)'))
    .addOption(
      new Option('--health <[HOST:]PORT>', 'answer GET /healthz for a load balancer, and GET /metrics for Prometheus')
        .argParser((text) => parseListen('--health', text)),
    );
  return addRunOptions(command, 'production\'s answers')
    .action((file: string | undefined, flags: MirrorFlags) => mirror(file, flags));
}

interface MirrorFlags extends ConfigFlags {
  quiet?: boolean;
}

async function mirror(file: string | undefined, flags: MirrorFlags): Promise<void> {
  const read = (): MirrorConfig => {
    const document = file === undefined ? null : readConfigFile(file, process.env);
    return buildConfig(document, overridesOf(flags, document));
  };
  const quiet = flags.quiet ?? false;
  const config = read();
  // The engine is most of the program, and a mistake in the configuration is told without it.
  const { runEngine } = await import('./run-engine.ts');
  await runEngine(config, { quiet, reporter: createReporter(quiet), reread: file === undefined ? null : { file, read } });
}
