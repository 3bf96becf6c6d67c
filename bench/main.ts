/**
 * `npm run bench`: what a mirrored request costs, how many get lost, and how long one takes, beside the floor.
 * See README.md in this folder for what is measured and how.
 */
import { writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { total, type CountTree } from '../packages/doubletake/src/ledger/report.ts';
import { findNginx, nginxVersion } from './nginx.ts';
import { runFloor, runScenario, type Cost, type Floor, type ScenarioResult } from './run.ts';
import { scenarios, type Scenario } from './scenarios.ts';

const usage = `usage: npm run bench -- [--seconds N] [--only NAME]... [--no-floor] [--json FILE|-]
  --seconds N     measure this long in each run (default 10)
  --only NAME     run only this scenario; repeatable: ${scenarios.map(({ name }) => name).join(', ')}
  --no-floor      leave out the runs of the bare receiver and the bare client
  --json FILE|-   also write the results as JSON; - is standard output, and the table then goes to standard error
`;

interface Line {
  result: ScenarioResult;
  floor: Floor | null;
}

/** Floors are steadier than mirrors and need not be watched as long. */
const floorSecondsMax = 5;

function options() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      only: { type: 'string', multiple: true, default: [] },
      floor: { type: 'boolean', default: true },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 600)) throw new Error(`--seconds ${values.seconds}: expected 1 to 600`);
  const unknown = values.only.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such scenario`);
  const chosen = scenarios.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
  return { ...values, seconds, chosen };
}

async function main(): Promise<void> {
  const { seconds, chosen, floor: withFloor, json, help } = options();
  if (help) {
    process.stdout.write(usage);
    return;
  }
  const out = json === '-' ? process.stderr : process.stdout;
  const nginx = findNginx();
  if (process.platform !== 'linux') throw new Error('the bench reads /proc and uses sendmmsg: it needs Linux');
  if (nginx === null) throw new Error('nginx is missing; on Debian or Ubuntu: apt-get install nginx-light');
  const machine = {
    processor: `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    kernel: `${release()} ${arch()}`,
    node: process.version,
    nginx: nginxVersion(nginx),
  };
  out.write(`${Object.values(machine).join(', ')}; each run ${seconds} s after the warm-up\n\n${heading()}\n`);
  const lines: Line[] = [];
  const floors = new Map<string, Floor>();
  for (const scenario of chosen) {
    const result = await runScenario(scenario, seconds, nginx);
    const floor = withFloor && scenario.target === 'nginx' ? await floorOf(floors, scenario, seconds, nginx) : null;
    lines.push({ result, floor });
    out.write(`${tableLine({ result, floor })}\n`);
  }
  out.write(`\n${remarks(lines)}`);
  if (json === undefined) return;
  const text = `${JSON.stringify({ machine, seconds, results: lines }, null, 2)}\n`;
  if (json === '-') process.stdout.write(text);
  else writeFileSync(json, text);
}

/** The floor depends on the rate and the request alone, so scenarios that have them in common share it. */
async function floorOf(
  floors: Map<string, Floor>,
  scenario: Scenario,
  seconds: number,
  nginx: string,
): Promise<Floor> {
  const key = `${scenario.requestsPerSecond} ${scenario.request}`;
  const known = floors.get(key);
  if (known) return known;
  const floor = await runFloor(scenario, Math.min(seconds, floorSecondsMax), nginx);
  floors.set(key, floor);
  return floor;
}

const columns: readonly [title: string, width: number, cell: (line: Line) => string][] = [
  ['scenario', -19, ({ result }) => result.scenario.name],
  ['sent/s', 8, ({ result: { sent } }) => whole(sent.requests / sent.seconds)],
  ['replayed/s', 11, ({ result }) => whole(result.replayedPerSecond)],
  ['loss %', 8, ({ result: { lost, sent } }) => fixed((100 * lost) / sent.requests, 3)],
  ['CPU µs', 8, ({ result }) => fixed(sum(result.cost))],
  ['user', 6, ({ result }) => fixed(result.cost?.userUs)],
  ['system', 7, ({ result }) => fixed(result.cost?.systemUs)],
  ['floor µs', 9, ({ floor }) => fixed(floor === null ? null : sum(floor.receive) + sum(floor.client))],
  ['RSS MB', 12, ({ result: { memory } }) => `${whole(memory.firstMb)} - ${whole(memory.lastMb)}`],
  ['peak', 5, ({ result: { memory } }) => whole(memory.peakMb)],
  ['p50 ms', 7, ({ result }) => fixed(result.latency?.p50Ms, 2)],
  ['p99 ms', 7, ({ result }) => fixed(result.latency?.p99Ms, 2)],
];

function heading(): string {
  return columns.map(([title, width]) => pad(title, width)).join(' ');
}

function tableLine(line: Line): string {
  return columns.map(([, width, cell]) => pad(cell(line), width)).join(' ');
}

/** What the table cannot say: what the floors consist of, and every count that does not fit another. */
function remarks(lines: readonly Line[]): string {
  return lines
    .flatMap(({ result, floor }) => {
      const { name } = result.scenario;
      const notes: string[] = [];
      if (floor) {
        const [receive, ask] = [fixed(sum(floor.receive)), fixed(sum(floor.client))];
        notes.push(`floor: ${receive} µs to receive 4 datagrams + ${ask} µs to ask once`);
      }
      if (result.lost !== 0) {
        const { outcomes, packets } = result.ledger;
        notes.push(`lost ${result.lost}; outcomes: ${JSON.stringify(withoutZeros(outcomes))}`);
        notes.push(`the kernel dropped ${packets.kernelDrops} packets`);
      }
      if (result.targetRequests !== result.replayed) {
        notes.push(`the target counted ${result.targetRequests} requests, the ledger ${result.replayed}`);
      }
      if (result.sent.lateMsMax > 100) notes.push(`the sender was up to ${fixed(result.sent.lateMsMax)} ms late`);
      for (const [addition, what] of additions) {
        const plain = result.scenario[addition] === true ? lines.find((line) => differsIn(addition, line.result, result)) : undefined;
        if (plain === undefined) continue;
        const [without, withIt] = [sum(plain.result.cost), sum(result.cost)];
        notes.push(`${what} ${fixed(withIt - without)} µs a request more (x ${fixed(withIt / without, 2)})`);
      }
      const { comparison } = result.ledger;
      if (comparison !== undefined) notes.push(`${comparison.pairs} of ${result.replayed} answers compared, ${comparison.mismatches} differ`);
      notes.push(...result.imbalances);
      return notes.map((note) => `${name}: ${note}\n`);
    })
    .join('');
}

/** What a run can do besides, and how its cost is told. */
const additions = [
  ['sanitize', 'the presets cost'],
  ['compare', 'comparing costs'],
] as const;

/** The other run differs in nothing but that it does not do this. */
function differsIn(addition: 'sanitize' | 'compare', { scenario: other }: ScenarioResult, { scenario }: ScenarioResult): boolean {
  const { name: _name, [addition]: does, ...rest } = scenario;
  const { name: _other, [addition]: otherDoes, ...otherRest } = other;
  return does === true && otherDoes !== true && isDeepStrictEqual(rest, otherRest);
}

function withoutZeros(tree: CountTree): CountTree {
  const filled = Object.entries(tree).filter(([, branch]) => total(branch) !== 0);
  return Object.fromEntries(
    filled.map(([name, branch]) => [name, typeof branch === 'number' ? branch : withoutZeros(branch)]),
  );
}

function sum(cost: Cost | null): number {
  return cost === null ? Number.NaN : cost.userUs + cost.systemUs;
}

function fixed(value: number | null | undefined, digits = 1): string {
  return value === null || value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits);
}

function whole(value: number | null): string {
  return fixed(value, 0);
}

/** A negative width pads on the right. */
function pad(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}

// What was started is stopped when this process exits, which the signals would not let it do in order.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
