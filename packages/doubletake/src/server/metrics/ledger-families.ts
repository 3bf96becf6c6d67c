/** The ledger (docs/accounting.md) as metrics. */
import type { LatencyCounts } from '../../engine/live-ledger.ts';
import type { ShareStanding } from '../../engine/shares.ts';
import { type CountTree, imbalances, type LedgerReport, type SourceReport, type TargetReport, total } from '../../ledger/report.ts';
import { byName, counter, gauge, histogram, type MetricFamily, type Sample, single, states } from './family.ts';
import { latencySample } from './latency-buckets.ts';

const rampStates = ['rising', 'held', 'backed_off', 'done'] as const;

/** Requests, packets and connections by source. */
export function sourceFamilies(ledger: LedgerReport, { production }: LatencyCounts): MetricFamily[] {
  const each = eachOf<SourceReport>('source', ledger.sources);
  return [
    counter('doubletake_requests_captured', 'Requests seen.', each(({ captured }) => single(captured))),
    counter('doubletake_requests_ended', 'Requests seen, by what became of them, and why (docs/accounting.md).', each(({ outcomes }) => outcomeSamples(outcomes))),
    gauge('doubletake_requests_in_flight', 'Requests that have no outcome yet.', each(({ inFlight }) => single(inFlight))),
    counter('doubletake_packets_received', 'Packets read.', each(({ packets }) => single(packets.received))),
    counter('doubletake_packets_decoded', 'Packets read, by whether they were used, ignored or malformed, and why.', each(({ packets }) => packetSamples(packets))),
    counter('doubletake_packets_dropped_by_kernel', 'Packets that the kernel dropped before they could be read.', each(({ packets }) => single(packets.kernelDrops))),
    counter('doubletake_fragments_given_up', 'IP fragments whose packet never became whole.', each(({ packets }) => single(packets.fragmentsGivenUp))),
    counter('doubletake_gaps', 'Holes in the byte streams: what was sent on a connection and never seen.', each(({ gaps }) => single(gaps.count))),
    counter('doubletake_gap_bytes', 'Bytes in the holes of the byte streams.', each(({ gaps }) => single(gaps.bytes))),
    counter('doubletake_skipped_bytes', 'Bytes that belong to no message: before the first start of one, or behind a gap until the next.', each(({ skippedBytes }) => single(skippedBytes))),
    counter('doubletake_connections', 'TCP connections that carried payload.', each(({ connections }) => single(connections))),
    counter('doubletake_other_connections', 'Connections that are not HTTP/1, by protocol.', each(({ other }) => treeSamples('protocol', other))),
    counter('doubletake_exchanges', 'Requests with their responses by how whole they are (docs/accounting.md); one may have several labels.', each(({ fidelity }) => treeSamples('fidelity', fidelity))),
    counter('doubletake_production_responses', 'Production\'s final responses by status class.', each((source) => treeSamples('class', source.production.responses))),
    counter('doubletake_production_responses_orphaned', 'Production\'s responses whose request was not seen.', each((source) => single(source.production.orphans))),
    histogram('doubletake_production_latency_seconds', 'From the last byte of a request to the last byte of production\'s response.', [latencySample({}, production)]),
    counter('doubletake_sampling_key_absent', 'Requests sampled by their address because they lack the key to be sampled by.', each(({ sampling }) => single(sampling.headerAbsent))),
    counter('doubletake_sink_connections_refused', 'Connections to a mirror sink that were refused for their number, cut off for their slowness, or ended for what they sent.', each(({ sink }) => byName('why', { number: sink.refused, slow: sink.timedOut, invalid: sink.rejected }))),
    counter('doubletake_proxy_connections', 'Clients of a proxy: taken, refused for their number, or without production to take them.', each(({ proxy }) => (proxy === undefined ? [] : byName('fate', { taken: proxy.connections, refused: proxy.refused, unreachable: proxy.unreachable })))),
    counter('doubletake_file_entries_left_out', 'Entries of recorded files that gave no request.', each(({ files }) => byName('why', { malformed: files.malformed, skipped: files.skipped }))),
  ];
}

/** Requests, answers and state by target. */
export function targetFamilies(ledger: LedgerReport, { targets: latencies }: LatencyCounts, shares: Readonly<Record<string, ShareStanding>>): MetricFamily[] {
  const each = eachOf<TargetReport>('target', ledger.targets);
  const names = Object.keys(ledger.targets);
  return [
    counter('doubletake_target_requests', 'Requests that were decided on for a target.', each(({ captured }) => single(captured))),
    counter('doubletake_target_requests_ended', 'Requests that were decided on for a target, by what became of them, and why.', each(({ outcomes }) => outcomeSamples(outcomes))),
    gauge('doubletake_target_requests_in_flight', 'Requests to a target that have no outcome yet.', each(({ inFlight }) => single(inFlight))),
    gauge('doubletake_target_queue_requests', 'Requests that wait to be sent to a target.', each(({ queued }) => single(queued))),
    counter('doubletake_target_responses', 'A target\'s responses by status class.', each(({ responses }) => treeSamples('class', responses))),
    histogram('doubletake_target_latency_seconds', 'From a request sent to the answer read whole.', names.map((name) => latencySample({ target: name }, latencies[name] ?? []))),
    gauge('doubletake_target_circuit_open_workers', 'Workers in which a target\'s circuit breaker is open.', each(({ circuit }) => single(circuit.openNow))),
    counter('doubletake_target_circuit_changes', 'How often a target\'s circuit breaker opened and closed.', each(({ circuit }) => byName('to', { open: circuit.opened, closed: circuit.closed }))),
    gauge('doubletake_target_share_ratio', 'Of the requests that the policy lets through, what a target gets now.', each(({ percentage }) => single(percentage / 100))),
    gauge(
      'doubletake_target_ramp_state',
      'How a target\'s ramp stands: 1 for the state that holds.',
      names.flatMap((name) => states('state', rampStates, shares[name]?.ramp?.state ?? null).map((sample) => labelled({ target: name }, sample))),
    ),
  ];
}

/** What is said of the whole. */
export function runFamilies(ledger: LedgerReport, problem: string | null): MetricFamily[] {
  const { recording } = ledger;
  return [
    gauge('doubletake_healthy', '1 while packets can flow through to an outcome, as /healthz says.', single(problem === null)),
    gauge('doubletake_replay_stopped', '1 while the kill switch holds.', single(ledger.replay === 'stopped')),
    gauge('doubletake_ledger_imbalances', 'Sums of the ledger that do not add up: anything but 0 is a mistake of doubletake.', single(imbalances(ledger).length)),
    counter('doubletake_recording_exchanges', 'Exchanges to be recorded: written, dropped because the recording had fallen behind, or failed to be written.', recording === undefined ? [] : byName('fate', { written: recording.exchanges, dropped: recording.dropped, failed: recording.failed })),
    counter('doubletake_recording_bytes', 'Bytes written to the recording.', single(recording?.bytes ?? null)),
  ];
}

/** Samples of every source or target, each labelled with its name. */
function eachOf<Report>(label: string, reports: Readonly<Record<string, Report>>): (read: (report: Report) => Sample[]) => Sample[] {
  return (read) => Object.entries(reports).flatMap(([name, report]) => read(report).map((sample) => labelled({ [label]: name }, sample)));
}

function labelled(labels: Sample['labels'], sample: Sample): Sample {
  return { labels: { ...labels, ...sample.labels }, value: sample.value };
}

function treeSamples(label: string, tree: CountTree): Sample[] {
  return Object.entries(tree).map(([name, branch]) => ({ labels: { [label]: name }, value: total(branch) }));
}

/** Every sample has both labels, so that sums over one of them leave nothing out. */
function outcomeSamples(tree: CountTree): Sample[] {
  return Object.entries(tree).flatMap(([outcome, branch]) =>
    typeof branch === 'number'
      ? [{ labels: { outcome, reason: '' }, value: branch }]
      : Object.entries(branch).map(([reason, value]) => ({ labels: { outcome, reason }, value: total(value) })),
  );
}

function packetSamples({ used, ignored, malformed }: SourceReport['packets']): Sample[] {
  return outcomeSamples({ used, ignored, malformed }).map(({ labels: { outcome = '', reason = '' }, value }) => ({
    labels: { fate: outcome, reason },
    value,
  }));
}
