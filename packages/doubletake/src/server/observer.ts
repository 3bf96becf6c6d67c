/**
 * Looks at the backend once a second, keeps what is drawn over time, and tells whoever follows. Whatever the number of
 * pages, what all of them see is made once.
 */
import type { RunReport } from '../compare/report.ts';
import type { DashboardBackend } from './api/backend.ts';
import type { Control } from './api/control.ts';
import type { History, Overview } from './api/overview.ts';
import type { Traffic } from './api/traffic.ts';
import { type ComparisonSummary, comparisonSummaryOf } from './view/comparison.ts';
import { type HistorySpan, historyPointOf, HistoryRing } from './view/history.ts';
import { historySpanOf } from './view/history-span.ts';
import { overviewOf } from './view/overview.ts';
import { type Reading, RecentReadings, Span } from './view/reading.ts';
import { targetHealthOf } from './view/target-health.ts';
import { trafficOf } from './view/traffic.ts';

/** `data` makes the event's JSON, for whom there is somebody to tell. */
export type Tell = (event: 'overview' | 'point' | 'report', data: () => object) => void;

export class Observer {
  readonly #backend: DashboardBackend;
  readonly #tell: Tell;
  readonly #recent = new RecentReadings();
  readonly #history: HistoryRing;
  readonly #timer: NodeJS.Timeout;
  #last: Reading;
  #span: Span;
  #compared: RunReport | null = null;
  #summary: ComparisonSummary | null = null;

  /** `failed` hears when looking fails, which must not end the mirror. */
  constructor(backend: DashboardBackend, everyMs: number, tell: Tell, failed: (error: Error) => void) {
    this.#backend = backend;
    this.#tell = tell;
    this.#history = new HistoryRing(everyMs);
    this.#last = this.#read();
    this.#span = new Span(this.#last, this.#last);
    this.#recent.add(this.#last);
    this.#takeComparison();
    this.#timer = setInterval(() => {
      try {
        this.#look();
      } catch (error) {
        failed(error instanceof Error ? error : new Error(String(error)));
      }
    }, everyMs);
  }

  /** As it stands now. */
  overview(): Overview {
    const { mode, startedAtMs, live } = this.#backend;
    return overviewOf({
      mode,
      startedAtMs,
      nowMs: Date.now(),
      span: this.#span,
      comparison: this.#summary,
      problem: live.problem(),
      config: live.config(),
      shares: live.shares(),
    });
  }

  history(seconds: number): History {
    return this.#history.points(seconds);
  }

  traffic(): Traffic {
    return trafficOf(this.#span);
  }

  control(): Control {
    const { live } = this.#backend;
    return { replay: this.#span.now.ledger.replay, targets: targetHealthOf(this.#span, live.config(), live.shares()) };
  }

  /** Something was changed: what is seen from now on, is seen with it. */
  refresh(): void {
    const now = this.#read();
    this.#span = new Span(this.#recent.before(now), now);
    this.#tell('overview', () => this.overview());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#read();
    const compared = this.#compared;
    const news = this.#takeComparison();
    const span = historySpanOf(new Span(this.#last, now), Date.now(), this.#backend.live.config(), {
      before: compared ?? { pairs: 0, mismatches: 0 },
      now: this.#compared ?? { pairs: 0, mismatches: 0 },
    });
    this.#last = now;
    this.#recent.add(now);
    this.#span = new Span(this.#recent.before(now), now);
    this.#tellAll(span, news);
  }

  #tellAll(span: HistorySpan, news: RunReport | null): void {
    this.#tell('overview', () => this.overview());
    // Of a run that has ended nothing more is drawn.
    if (this.#backend.mode === 'live') {
      this.#history.add(span);
      this.#tell('point', () => historyPointOf(span));
    }
    if (news !== null) this.#tell('report', () => ({ verdict: news.verdict, pairs: news.pairs }));
  }

  /** The comparison, when it is another than before. */
  #takeComparison(): RunReport | null {
    const report = this.#backend.live.comparison();
    if (report === null || report === this.#compared) return null;
    this.#compared = report;
    this.#summary = comparisonSummaryOf(report);
    return report;
  }

  #read(): Reading {
    const { live } = this.#backend;
    return { atMs: performance.now(), ledger: live.ledger(), latencies: live.latencies() };
  }
}
