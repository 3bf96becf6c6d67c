/** `doubletake inspect`: lists the exchanges in a capture file. */
import { Command, Option } from 'commander';
import { Inspection, type InspectionSummary } from '../engine/inspection.ts';
import type { Exchange, Message } from '../http/exchange.ts';
import { fidelityLabels } from '../http/fidelity.ts';
import { parseInteger } from './flags.ts';

interface InspectFlags {
  json?: boolean;
  summary?: boolean;
  port?: number[];
  vni?: number[];
  mergeTunnels?: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .summary('list the HTTP exchanges in a capture file')
    .description(
      'Lists the requests in a capture file, with production\'s responses, in the order in which the requests ended.\n' +
        'Reads pcap and pcapng, also gzipped; tunnels inside the capture (VXLAN, GENEVE, GRE and others) are opened.',
    )
    .argument('<FILE>', 'capture file; - is standard input')
    .option('--json', 'print one JSON object a line, an exchange each')
    .option('--summary', 'print only the counts')
    .addOption(
      new Option('--port <N>', 'take only connections to this server port; repeatable').argParser(
        (text: string, before: number[] | undefined) => [...(before ?? []), parseInteger('--port', text, 1, 65_535)],
      ),
    )
    .addOption(
      new Option('--vni <N>', 'take only this VXLAN or GENEVE network identifier; repeatable').argParser(
        (text: string, before: number[] | undefined) => [...(before ?? []), parseInteger('--vni', text, 0, 0xff_ffff)],
      ),
    )
    .option('--merge-tunnels', 'the tunnels show the same network: a packet seen through two of them is one')
    .action((file: string, flags: InspectFlags) => inspect(file, flags));
}

async function inspect(file: string, flags: InspectFlags): Promise<void> {
  const format = flags.json === true ? exchangeJson : exchangeText;
  const out = new LineWriter();
  const options = {
    ports: flags.port === undefined ? null : new Set(flags.port),
    vnis: flags.vni === undefined ? null : new Set(flags.vni),
    mergeTunnels: flags.mergeTunnels ?? false,
  };
  const inspection = new Inspection(options, (exchange) => {
    if (flags.summary !== true) out.write(format(exchange));
  });
  try {
    await inspection.run(file);
  } finally {
    out.flush();
  }
  const summary = inspection.summary();
  if (flags.summary === true) out.write(flags.json === true ? JSON.stringify(summary) : summaryText(summary));
  else if (flags.json !== true) out.write(`${summary.requests > 0 ? '\n' : ''}${summaryText(summary)}`);
  out.flush();
  if (inspection.warning !== null) process.stderr.write(`doubletake: warning: ${inspection.warning}\n`);
}

/** Gathers lines, so that a large capture does not cost a system call for each. */
class LineWriter {
  #lines: string[] = [];

  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= 256) this.flush();
  }

  flush(): void {
    if (this.#lines.length > 0) process.stdout.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

/** One line of the contract of `inspect --json`. */
function exchangeJson({ connection, client, index, request, response, fidelity }: Exchange): string {
  return JSON.stringify({
    connection: connection.label(client),
    index,
    protocol: request.head.version,
    outcome: request.outcome === 'complete' ? responseOutcome(response) : `incomplete:${request.outcome}`,
    request: {
      time: isoTime(request.startUs),
      method: request.head.method,
      target: request.head.target,
      ...common(request),
    },
    response: response && {
      time: isoTime(response.startUs),
      status: response.head.status,
      reason: response.head.reason,
      ...common(response),
    },
    fidelity: fidelityLabels(fidelity),
  });
}

/** A whole request with half a response is an exchange that is not whole; without any response it is. */
function responseOutcome(response: Message | null): string {
  return response === null || response.outcome === 'complete' ? 'complete' : `incomplete:${response.outcome}`;
}

function common({ head, body, ambiguity }: Message): object {
  return {
    headers: Array.from({ length: head.count }, (_, field) => [head.name(field), head.value(field)]),
    body: { bytes: body.bytes, sha256: body.sha256 },
    ...(ambiguity === null ? {} : { ambiguity }),
  };
}

function exchangeText({ connection, client, request, response }: Exchange): string {
  const outcome = request.outcome === 'complete' ? responseOutcome(response) : `incomplete:${request.outcome}`;
  const answer = response === null ? '  -' : String(response.head.status).padStart(3);
  const size = response === null ? '' : `${response.body.bytes} B`;
  const line = [
    isoTime(request.startUs).slice(11),
    connection.label(client),
    answer,
    size.padStart(10),
    `${request.head.method} ${request.head.target}`,
  ].join('  ');
  return printable(outcome === 'complete' ? line : `${line}  [${outcome}]`);
}

/** Captured bytes must not steer a terminal. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Microseconds since the epoch as `2026-01-01T00:00:00.000001Z`. */
function isoTime(timeUs: number): string {
  const ms = Math.floor(timeUs / 1_000);
  const micros = Math.floor(timeUs - ms * 1_000);
  const valid = Math.abs(ms) <= 8.64e15 ? ms : 0;
  return `${new Date(valid).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

function summaryText(summary: InspectionSummary): string {
  const { packets, connections, requests, responses, gaps, unpaired } = summary;
  const lines = [
    `${packets} packets, ${connections} TCP connections with data`,
    `${requests} requests, ${responses} responses`,
    `${unpaired.requests} requests without a response, ${unpaired.responses} responses without a request`,
    `${gaps.count} gaps with ${gaps.bytes} bytes`,
  ];
  for (const [title, counts] of Object.entries({
    incomplete: summary.incomplete,
    'other protocols': summary.other,
    'packets ignored': summary.ignored,
    'packets malformed': summary.malformed,
  })) {
    const parts = Object.entries(counts).filter(([, count]) => count > 0);
    if (parts.length > 0) lines.push(`${title}: ${parts.map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }
  return lines.join('\n');
}
