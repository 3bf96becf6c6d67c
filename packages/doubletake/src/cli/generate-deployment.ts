/** The kinds of `doubletake generate` that deploy doubletake itself: templates, manifests and units. */
import { Command, Option } from 'commander';
import { targetUrlSchema } from '../config/values.ts';
import { DoubletakeError } from '../errors.ts';
import { parameterGroups } from '../generate/cloudformation/parameters.ts';
import { cloudFormationTemplate } from '../generate/cloudformation/template.ts';
import { mirrorManifests } from '../generate/kubernetes.ts';
import { tapManifests } from '../generate/kubernetes-tap.ts';
import { systemdUnit } from '../generate/systemd.ts';
import { tapArguments } from '../generate/tap-arguments.ts';
import { terraformModule } from '../generate/terraform.ts';
import { type HostPort, hostPortText } from '../host-port.ts';
import { version } from '../version.ts';
import { parseInteger, parseReceiver } from './flags.ts';
import { list } from './shared-options.ts';

const vxlanPort = 4789;

export function deploymentCommands(): Command[] {
  return [cloudFormationCommand(), terraformCommand(), kubernetesCommand(), systemdCommand()];
}

function cloudFormationCommand(): Command {
  return new Command('cloudformation')
    .summary('for AWS: mirrors behind a load balancer that is a traffic mirror target')
    .description(
      'Prints a CloudFormation template: an Auto Scaling group of mirrors behind an internal network load balancer that is a ' +
        'traffic mirror target, with filter, alarms and logs. Its parameters are those of the stack (docs/deploying.md).',
    )
    .action(() => print(cloudFormationTemplate(version())));
}

function terraformCommand(): Command {
  return new Command('terraform')
    .summary('the same for Terraform: the CloudFormation stack as a resource')
    .description('Prints a Terraform file that runs the CloudFormation stack, with a variable for each of its parameters (docs/deploying.md).')
    .action(() => {
      const parameters = parameterGroups(version()).flatMap((group) => group.parameters);
      print(terraformModule(cloudFormationTemplate(version()), parameters));
    });
}

interface KubernetesFlags {
  target: string;
  image: string;
  namespace: string;
  vni: number;
  port?: number[];
  podMonitor?: boolean;
  tap?: boolean;
  interface: string;
}

function kubernetesCommand(): Command {
  const command = new Command('kubernetes')
    .summary('for Kubernetes: a mirror, and taps on the nodes')
    .description('Prints manifests of a mirror that takes what taps and proxies in the cluster send; with --tap also of a tap on every node.')
    .requiredOption('--target <URL>', 'the test environment, http:// or https://', parseTargetUrl)
    .addOption(
      new Option('--image <NAME>', 'the image, built from deploy/Dockerfile')
        .argParser((text) => parseWord('--image', text, /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/, 'the name of an image, such as registry.internal/doubletake:1.2.3'))
        .default(`doubletake:${version()}`),
    )
    .addOption(
      new Option('--namespace <NAME>', 'the namespace')
        .argParser((text) => parseWord('--namespace', text, /^[a-z]([a-z0-9-]{0,57}[a-z0-9])?$/, 'lower case letters, digits and hyphens'))
        .default('doubletake'),
    );
  return addPacketOptions(command, '80')
    .option('--pod-monitor', 'also a PodMonitor, for the Prometheus operator')
    .optionsGroup('Taps:')
    .option('--tap', 'also a tap on every node')
    .addOption(interfaceOption('interface of the nodes that taps read').default('any'))
    .action(({ tap, target, image, namespace, vni, port: ports = [80], podMonitor = false, interface: interfaceName }: KubernetesFlags) => {
      const mirror = mirrorManifests({ namespace, image, target, vni, ports, podMonitor });
      const to = `doubletake.${namespace}.svc:${vxlanPort}`;
      print(tap === true ? `${mirror}---\n${tapManifests({ namespace, image, interfaceName, to, vni, ports })}` : mirror);
    });
}

interface SystemdFlags {
  config: string;
  node: string;
  program: string;
  captures?: boolean;
  to?: HostPort;
  interface: string;
  vni: number;
  port?: number[];
}

function systemdCommand(): Command {
  const path = (flag: string) => (text: string) => parseWord(flag, text, /^\/[A-Za-z0-9._/@+-]+$/, 'an absolute path without blanks');
  const command = new Command('systemd')
    .summary('for systemd: a unit for a mirror, or with --to for a tap')
    .description('Prints a unit that runs a mirror with its configuration file, or with --to a tap, with as few rights as it can do with.')
    .addOption(new Option('--config <FILE>', 'configuration of the mirror').argParser(path('--config')).default('/etc/doubletake/mirror.yaml'))
    .addOption(new Option('--node <FILE>', 'Node 24').argParser(path('--node')).default('/usr/bin/node'))
    .addOption(
      new Option('--program <FILE>', 'the installed program').argParser(path('--program')).default('/opt/doubletake/node_modules/doubletake/bin/doubletake.js'),
    )
    .option('--captures', 'the configuration reads a network card (interface, or receive: ring), which takes CAP_NET_RAW')
    .optionsGroup('A tap:')
    .addOption(new Option('--to <HOST[:PORT]>', 'the mirror to which a tap sends').argParser((text) => parseReceiver('--to', text, vxlanPort)))
    .addOption(interfaceOption('interface that a tap reads').default('any'));
  return addPacketOptions(command, 'all').action(({ to, config, node, program, captures = false, interface: interfaceName, vni, port: ports = [] }: SystemdFlags) => {
    if (to === undefined) {
      return print(systemdUnit({ command: 'mirror', commandLine: [node, program, 'mirror', config], captures }));
    }
    parseWord('--to', to.host, /^[A-Za-z0-9.:_-]+$/, 'a host name or an address');
    const commandLine = [node, program, ...tapArguments({ interfaceName, to: hostPortText(to), vni, ports })];
    return print(systemdUnit({ command: 'tap', commandLine, captures: true }));
  });
}

function addPacketOptions(command: Command, portDefault: string): Command {
  return command
    .addOption(
      new Option('--vni <N>', 'VXLAN network identifier of what taps send')
        .argParser((text) => parseInteger('--vni', text, 0, 0xff_ffff))
        .default(7),
    )
    .addOption(
      new Option('--port <N>', `port of production's servers; repeatable (default: ${portDefault})`).argParser(
        list((text) => parseInteger('--port', text, 1, 65_535)),
      ),
    );
}

function interfaceOption(description: string): Option {
  return new Option('--interface <IF>', description).argParser((text) =>
    parseWord('--interface', text, /^[A-Za-z0-9._-]{1,15}$/, 'the name of a network interface'),
  );
}

/** A URL that may stand between quotes in YAML, and in which the configuration sees no variable. */
function parseTargetUrl(text: string): string {
  const problem = targetUrlSchema.safeParse(text).error?.issues[0]?.message;
  if (problem !== undefined) throw usageError(`--target ${text}: ${problem}`);
  return parseWord('--target', text, /^[^\s"\\$]+$/, 'a URL without quotes, dollars and blanks');
}

function parseWord(flag: string, text: string, form: RegExp, expected: string): string {
  if (!form.test(text)) throw usageError(`${flag} ${text}: expected ${expected}`);
  return text;
}

function usageError(message: string): DoubletakeError {
  return new DoubletakeError('DT_USAGE', message);
}

function print(text: string): void {
  process.stdout.write(text);
}
