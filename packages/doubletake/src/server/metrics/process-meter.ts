/** What the process takes: time, memory, and how late the main thread's event loop is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface ProcessReading {
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  /** Of all threads, since the start. */
  cpuSeconds: number;
  residentBytes: number;
  /** How late timers of the main thread ran, over the last ten seconds. */
  eventLoopLagSeconds: { p50: number; p99: number; max: number };
}

/** Whoever reads sees the last whole span, however many read and how often. */
const spanMs = 10_000;

/** How often the delay is measured; the histogram holds the whole time between two measurements. */
const resolutionMs = 20;

export class ProcessMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;
  #lastSpan: ProcessReading['eventLoopLagSeconds'] | null = null;

  /** Measures until `close`. */
  constructor() {
    this.#delay.enable();
    this.#timer = setInterval(() => {
      this.#lastSpan = this.#lag();
      this.#delay.reset();
    }, spanMs).unref();
  }

  read(): ProcessReading {
    const { user, system } = process.cpuUsage();
    return {
      startedAtMs: performance.timeOrigin,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      eventLoopLagSeconds: this.#lastSpan ?? this.#lag(),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #lag(): ProcessReading['eventLoopLagSeconds'] {
    if (this.#delay.count === 0) return { p50: 0, p99: 0, max: 0 };
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs) / 1_000;
    return { p50: seconds(this.#delay.percentile(50)), p99: seconds(this.#delay.percentile(99)), max: seconds(this.#delay.max) };
  }
}
