/** `doubletake inspect` of recordings: their exchanges as lines, as counts, or as a Parquet file. */
import { recordingKey } from '../engine/recording.ts';
import { RecordingInspection, type RecordingSummary } from '../engine/recording-inspection.ts';
import { exchangeRow } from '../engine/recording-rows.ts';
import { type ExchangeRow, writeExchangeParquet } from '../store/exchange-parquet.ts';
import { exchangeJson, exchangeText, isoTime, LineWriter } from './exchange-lines.ts';
import type { InspectFlags } from './inspect.ts';

/** All that is given as one. Throws RecordingError and StoreError. */
export async function inspectRecordings(paths: readonly string[], flags: InspectFlags): Promise<void> {
  const { from, to, connection, parquet, json = false, summary = false } = flags;
  const inspection = await RecordingInspection.open(paths, {
    key: recordingKey(flags.keyFile, process.env),
    ports: flags.port === undefined ? null : new Set(flags.port),
    vnis: flags.vni === undefined ? null : new Set(flags.vni),
    ...(from === undefined ? {} : { fromUs: from }),
    ...(to === undefined ? {} : { toUs: to }),
    ...(connection === undefined ? {} : { connection }),
  });
  const out = new LineWriter();
  if (parquet !== undefined) await writeExchangeParquet(parquet, rowsOf(inspection));
  else {
    const format = json ? exchangeJson : exchangeText;
    for await (const { exchange } of inspection.exchanges()) if (!summary) out.write(format(exchange));
  }
  const counts = inspection.summary();
  if (summary) out.write(json ? summaryJson(counts) : summaryText(counts));
  else if (!json) out.write(`${counts.requests > 0 && parquet === undefined ? '\n' : ''}${summaryText(counts)}`);
  out.flush();
  for (const warning of inspection.warnings) process.stderr.write(`doubletake: warning: ${warning}\n`);
}

async function* rowsOf(inspection: RecordingInspection): AsyncGenerator<ExchangeRow, void, void> {
  for await (const { recorded, exchange } of inspection.exchanges()) yield exchangeRow(recorded, exchange);
}

function summaryJson({ firstUs, lastUs, ...counts }: RecordingSummary): string {
  return JSON.stringify({ ...counts, first: firstUs && isoTime(firstUs), last: lastUs && isoTime(lastUs) });
}

function summaryText({ segments, bytes, connections, requests, responses, incomplete, unpaired, firstUs, lastUs }: RecordingSummary): string {
  const broken = Object.entries(incomplete).map(([name, count]) => `${name} ${count}`);
  return [
    `${segments} ${segments === 1 ? 'file' : 'files'} with ${bytes} bytes`,
    `${connections} connections, ${requests} requests, ${responses} responses`,
    `${unpaired.requests} requests without a response`,
    ...(firstUs === null || lastUs === null ? [] : [`from ${isoTime(firstUs)} to ${isoTime(lastUs)}`]),
    ...(broken.length > 0 ? [`incomplete: ${broken.join(', ')}`] : []),
  ].join('\n');
}
