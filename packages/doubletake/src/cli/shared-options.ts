/** Options that several commands have in common. */
import { type Command, Option } from 'commander';
import { dashboardListenDefault } from '../config/dashboard-schema.ts';
import { parseDuration, parseInteger, parseListen, parseMethods, parsePercentage } from './flags.ts';

/** For an option that may be given several times. */
export const list = <T>(parse: (text: string) => T) => (text: string, before: T[] | undefined): T[] => [...(before ?? []), parse(text)];

/** Where requests go, and in which form. */
export function addTargetOptions(command: Command): Command {
  return command
    .optionsGroup('Targets:')
    .option('--target <[NAME=]URL>', 'replay to this http:// or https:// URL; repeatable', list((text: string) => text))
    .option('--ca <FILE>', 'trust these certificate authorities (PEM) for https targets, instead of the system\'s')
    .addOption(new Option('--host <WHICH>', 'Host header: the target\'s own (default), or the original one').choices(['target', 'original']))
    .addOption(
      new Option('--ordering <HOW>', 'requests of one production connection keep their order (default), or not')
        .choices(['connection', 'none']),
    )
    .addOption(
      new Option('--timeout <DURATION>', 'give up a request that the target has not answered whole after this long (default: 30s)')
        .argParser((text) => `${parseDuration('--timeout', text)}ms`),
    );
}

/** Which requests are replayed. */
export function addPolicyOptions(command: Command): Command {
  return command
    .optionsGroup('Which requests:')
    .addOption(
      new Option('--methods <LIST>', 'safe (GET, HEAD, OPTIONS; default), all, or a list such as GET,POST')
        .argParser((text) => parseMethods('--methods', text)),
    )
    .addOption(
      new Option('--percentage <P>', 'replay this share of the requests (default: 100)')
        .argParser((text) => parsePercentage('--percentage', text)),
    )
    .addOption(
      new Option('--percentage-by <WHAT>', 'what is in or out as a whole: each request, all with the same header value, or all of one client')
        .choices(['request', 'header', 'remote-address']),
    )
    .option('--percentage-by-header <NAME>', 'the header for --percentage-by header');
}

export function workersOption(about: string): Option {
  return new Option('--workers <N>', about).argParser((text) => parseInteger('--workers', text, 1, 256));
}

/** Which packets are taken. */
export function addPacketOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--vni <N>', 'take only this VXLAN or GENEVE network identifier; repeatable')
        .argParser(list((text) => parseInteger('--vni', text, 0, 0xff_ffff))),
    )
    .addOption(
      new Option('--port <N>', 'take only connections to this server port; repeatable')
        .argParser(list((text) => parseInteger('--port', text, 1, 65_535))),
    )
    .option('--merge-tunnels', 'the tunnels show the same network: a packet seen through two of them is one');
}

/** What is made of a run beside the replay; `compared` says which answers of production's can be compared. */
export function addRunOptions(command: Command, compared: string): Command {
  return command
    .addOption(dashboardOption())
    .option('--run <DIR>', `compare ${compared} with the target's, and write the comparison to this new folder for \`doubletake report\`; {{time}} in it is the time of the start`)
    .option('--record <DIR>', 'record the requests, made safe, with production\'s responses, to this folder')
    .option('--control <PATH>', 'let `doubletake control` stop and resume replay through this Unix socket')
    .option('--ledger <FILE.json>', 'write the ledger to this file at exit, and on SIGUSR2')
    .option('--quiet', 'print nothing but the ready line, warnings and errors');
}

/** The page that shows it all. */
export function dashboardOption(): Option {
  return new Option('--dashboard [[HOST:]PORT]', `serve the dashboard (docs/dashboard.md) on ${dashboardListenDefault}, or at this address`)
    .argParser((text: string) => parseListen('--dashboard', text))
    .preset(dashboardListenDefault);
}
