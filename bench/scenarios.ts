/** What is measured: how many requests a second, over how many connections. */
import type { RequestKind } from './traffic.ts';

export interface Scenario {
  name: string;
  /** Null: as fast as the sender can. */
  requestsPerSecond: number | null;
  connections: number;
  /**
   * What is at the end of the mirror: nginx, which tells throughput, loss and cost; or a probe, which tells the latency
   * from the requests' own time stamps.
   */
  target: 'nginx' | 'probe';
  /** Worker threads of the mirror; 1 unless said. */
  workers?: number;
  /** How the mirror takes packets from the kernel; `ring` needs CAP_NET_RAW. */
  receive?: 'socket' | 'ring';
  /** What is asked for; a page unless said. */
  request?: RequestKind;
  /** Requests are sanitized with the three presets. */
  sanitize?: boolean;
  /** The target answers as production did. */
  sameAnswers?: boolean;
  /** Answers are compared, and the run is written (--run). */
  compare?: boolean;
}

export const scenarios: readonly Scenario[] = [
  { name: '3k', requestsPerSecond: 3_000, connections: 1_000, target: 'nginx' },
  { name: '7k', requestsPerSecond: 7_000, connections: 1_000, target: 'nginx' },
  { name: '15k', requestsPerSecond: 15_000, connections: 1_000, target: 'nginx' },
  { name: '15k-ring', requestsPerSecond: 15_000, connections: 1_000, target: 'nginx', receive: 'ring' },
  { name: '15k-10k-connections', requestsPerSecond: 15_000, connections: 10_000, target: 'nginx' },
  { name: 'flat-out', requestsPerSecond: null, connections: 1_000, target: 'nginx' },
  { name: 'flat-out-ring', requestsPerSecond: null, connections: 1_000, target: 'nginx', receive: 'ring' },
  { name: 'flat-out-2-workers', requestsPerSecond: null, connections: 1_000, target: 'nginx', workers: 2 },
  { name: 'orders-5k', requestsPerSecond: 5_000, connections: 1_000, target: 'nginx', request: 'order' },
  { name: 'orders-5k-sanitized', requestsPerSecond: 5_000, connections: 1_000, target: 'nginx', request: 'order', sanitize: true },
  { name: 'orders-5k-same-answers', requestsPerSecond: 5_000, connections: 1_000, target: 'nginx', request: 'order', sameAnswers: true },
  { name: 'orders-5k-compared', requestsPerSecond: 5_000, connections: 1_000, target: 'nginx', request: 'order', sameAnswers: true, compare: true },
  { name: 'latency-3k', requestsPerSecond: 3_000, connections: 1_000, target: 'probe' },
  { name: 'latency-7k', requestsPerSecond: 7_000, connections: 1_000, target: 'probe' },
];

/** Seconds at the beginning of every run that are not measured: code is compiled, buffers and connections grow. */
export const warmUpSeconds = 2;
