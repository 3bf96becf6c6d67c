/** `doubletake aws cost`: what mirroring costs, reckoned from a few numbers. */
import { Command, Option } from 'commander';
import { monthlyCost, prices } from '../aws/cost.ts';
import { parseInteger, parseNumber, parseSize } from './flags.ts';

interface CostFlags {
  sessions: number;
  traffic: number;
  packet: number;
  zones: number;
  balancer: boolean;
  sessionHour: number;
  balancerHour: number;
  capacityUnitHour: number;
  gigabyteAcrossZones: number;
  json?: boolean;
}

export function awsCostCommand(): Command {
  const price = (flag: string, description: string, value: number): Option =>
    new Option(`${flag} <DOLLARS>`, description).argParser((text) => parseNumber(flag, text, 0, 1_000, 'expected a price in US dollars, such as 0.015')).default(value);
  return new Command('cost')
    .summary('reckon what mirroring costs in a month')
    .description(`Reckons the monthly cost from list prices of ${prices.region}, without asking AWS; the mirrors' own instances come on top.`)
    .addOption(new Option('--sessions <N>', 'interfaces that are mirrored').argParser((text) => parseInteger('--sessions', text, 0, 1_000_000)).makeOptionMandatory())
    .addOption(
      new Option('--traffic <SIZE>', 'bytes of requests and responses in a second, on average, of all together, such as 20MB')
        .argParser((text) => parseSize('--traffic', text.replace(/\/s$/, '')))
        .makeOptionMandatory(),
    )
    .addOption(new Option('--packet <SIZE>', 'an average packet').argParser((text) => parseSize('--packet', text)).default(1_000, '1kB'))
    .addOption(new Option('--zones <N>', 'zones over which sources and mirrors are spread').argParser((text) => parseInteger('--zones', text, 1, 20)).default(3))
    .option('--no-balancer', 'the target is a network interface, and no load balancer')
    .option('--json', 'as one JSON object')
    .optionsGroup('Prices, where yours are others:')
    .addOption(price('--session-hour', 'a session in an hour', prices.sessionHour))
    .addOption(price('--balancer-hour', 'a network load balancer in an hour', prices.balancerHour))
    .addOption(price('--capacity-unit-hour', 'a capacity unit (NLCU) in an hour', prices.capacityUnitHour))
    .addOption(price('--gigabyte-across-zones', 'a GB across zones, on each side', prices.gigabyteAcrossZones))
    .action((flags: CostFlags) => cost(flags));
}

function cost({ sessions, traffic, packet, zones, balancer, json, ...given }: CostFlags): void {
  const { sessionHour, balancerHour, capacityUnitHour, gigabyteAcrossZones } = given;
  const lines = monthlyCost({
    sessions,
    bytesPerSecond: traffic,
    bytesPerPacket: packet,
    zones,
    balanced: balancer,
    prices: { sessionHour, balancerHour, capacityUnitHour, gigabyteAcrossZones },
  });
  const total = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ currency: 'USD', monthly: total, lines })}\n`);
    return;
  }
  const row = (what: string, dollars: number, because: string): string => `  ${what.padEnd(26)}${`$${dollars.toFixed(2)}`.padStart(12)}  ${because}`.trimEnd();
  const rows = lines.map(({ what, dollars, because }) => row(what, dollars, because));
  process.stdout.write(`A month of mirroring (list prices of ${prices.region}, where no others were given):\n${[...rows, row('in all', total, '')].join('\n')}\n`);
}
