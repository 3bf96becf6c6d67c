/** `doubletake generate`: what deploys doubletake, configurations with which a proxy copies requests to the mirror sink, and a test of one. */
import { Command, Option } from 'commander';
import { listenSchema, targetUrlSchema } from '../config/values.ts';
import { checkCopies } from '../engine/copy-check.ts';
import { DoubletakeError } from '../errors.ts';
import { generators, type ProxyKind, proxyKinds } from '../generate/kinds.ts';
import type { HostPort } from '../host-port.ts';
import { copyCheckText } from './copy-check-text.ts';
import { ExitCode } from './exit-code.ts';
import { parseInteger, parseListen, parsePercentage } from './flags.ts';
import { deploymentCommands } from './generate-deployment.ts';

interface GenerateFlags {
  sink?: HostPort;
  production: HostPort;
  percentage: number;
  verify?: string;
  listen?: string;
  requests: number;
  json?: boolean;
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .summary('print a proxy\'s configuration that copies requests to the mirror sink, or what deploys a mirror')
    .description(
      'Prints a configuration with which a proxy copies requests to the mirror sink (mirror --http-sink), with what is ' +
        'to be known about that proxy; or, with --verify, sends marked requests through a proxy and says what arrived.\n' +
        'Prints as well what deploys doubletake itself, on AWS and elsewhere.',
    );
  command.commandsGroup('Proxies that copy requests:');
  for (const kind of proxyKinds) command.addCommand(kindCommand(kind));
  command.commandsGroup('Where doubletake runs:');
  for (const deployment of deploymentCommands()) command.addCommand(deployment);
  return command;
}

function kindCommand(kind: ProxyKind): Command {
  return new Command(kind)
    .summary(`for ${names[kind]}`)
    .addOption(
      new Option('--sink <HOST:PORT>', 'where mirror --http-sink listens, as the proxy sees it').argParser((text) => parseEndpoint('--sink', text)),
    )
    .addOption(
      new Option('--production <HOST:PORT>', 'where the proxy sends its requests, in place of your own configuration')
        .argParser((text) => parseEndpoint('--production', text))
        .default({ host: '127.0.0.1', port: 8080 }, '127.0.0.1:8080'),
    )
    .addOption(
      new Option('--percentage <P>', 'share of the requests that is copied')
        .argParser((text) => parsePercentage('--percentage', text))
        .default(100),
    )
    .optionsGroup('Trying a proxy:')
    .option('--verify <URL>', 'send marked requests (GET, POST and others) to this URL of the proxy and compare the copies that arrive')
    .addOption(
      new Option('--listen <[HOST:]PORT>', 'take the copies here while it runs (default: the port of --sink)').argParser((text) =>
        parseListen('--listen', text),
      ),
    )
    .addOption(
      new Option('--requests <N>', 'requests to see the share by')
        .argParser((text) => parseInteger('--requests', text, 0, 100_000))
        .default(200),
    )
    .option('--json', 'print what --verify finds as one JSON object')
    .action((flags: GenerateFlags) => generate(kind, flags));
}

const names: Readonly<Record<ProxyKind, string>> = {
  nginx: 'NGINX (mirror)',
  envoy: 'Envoy (request_mirror_policies)',
  istio: 'Istio (VirtualService)',
  'gateway-api': 'the Kubernetes Gateway API (RequestMirror)',
  traefik: 'Traefik (mirroring)',
  apisix: 'APISIX (proxy-mirror)',
  haproxy: 'HAProxy (SPOE and spoa-mirror)',
};

async function generate(kind: ProxyKind, flags: GenerateFlags): Promise<void> {
  const { sink, production, percentage } = flags;
  if (percentage === 0) throw usageError('--percentage 0: nothing would be copied');
  if (flags.verify !== undefined) return verify(flags.verify, flags);
  if (sink === undefined) throw usageError('--sink is missing: where mirror --http-sink listens, such as --sink 10.0.0.9:8090');
  process.stdout.write(generators[kind]({ sink, production, percentage }));
}

/** How long a copy may come behind the answer to its request. */
const waitMs = 2_000;

async function verify(url: string, { sink, listen, percentage, requests, json }: GenerateFlags): Promise<void> {
  const problem = targetUrlSchema.safeParse(url).error?.issues[0]?.message;
  if (problem !== undefined) throw usageError(`--verify ${url}: ${problem.replace('a target', 'this')}`);
  const at = listen ?? (sink === undefined ? null : `0.0.0.0:${sink.port}`);
  if (at === null) throw usageError('--verify needs --listen [HOST:]PORT (or --sink): where the proxy sends the copies');
  const options = { url: new URL(url), listen: listenSchema.parse(at), percentage, shareRequests: requests, waitMs };
  const report = await checkCopies(options, (listening) => process.stderr.write(`ready http-sink=${listening}\n`));
  process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : copyCheckText(report, percentage));
  process.exitCode = report.ok ? ExitCode.ok : ExitCode.regression;
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
function parseEndpoint(flag: string, text: string): HostPort {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw usageError(`${flag} ${text}: expected HOST:PORT, such as 10.0.0.9:8090 or [2001:db8::9]:8090`);
  return { host: match[1] ?? match[2] ?? '', port };
}

function usageError(message: string): DoubletakeError {
  return new DoubletakeError('DT_USAGE', message);
}
