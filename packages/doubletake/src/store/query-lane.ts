/**
 * The way of questions to a database that is busy with other things: a few connections of their own, each question with
 * a time limit, and a queue with an end. What takes too long is interrupted; the database goes on.
 */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { DoubletakeError } from '../errors.ts';
import { firstLine } from './database.ts';

const connectionsMax = 2;
const waitingMax = 32;
const queryMsMax = 5_000;
/** What is interrupted before it has begun goes on, and is interrupted again. */
const lookEveryMs = 50;

export class QueryLane {
  readonly #connect: () => Promise<DuckDBConnection>;
  readonly #msMax: number;
  readonly #idle: DuckDBConnection[] = [];
  readonly #busy = new Set<Promise<unknown>>();
  #open = 0;
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];
  #closed = false;

  /** `msMax` of a question, waiting left out. */
  constructor(connect: () => Promise<DuckDBConnection>, msMax = queryMsMax) {
    this.#connect = connect;
    this.#msMax = msMax;
  }

  /**
   * The rows of an answer; `values` are by name without the dollar. Rejects with DT_BUSY when there are too many questions, or
   * this one takes too long or too much.
   */
  ask<T>(sql: string, values: Record<string, DuckDBValue>, read: (row: Record<string, unknown>) => T): Promise<T[]> {
    const answered = this.#ask(sql, values, read);
    this.#busy.add(answered);
    return answered.finally(() => this.#busy.delete(answered));
  }

  /** Interrupts what is asked, soon; resolves when no connection is open any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#busy);
    for (const connection of this.#idle.splice(0)) connection.closeSync();
  }

  async #ask<T>(sql: string, values: Record<string, DuckDBValue>, read: (row: Record<string, unknown>) => T): Promise<T[]> {
    const connection = await this.#take();
    const startMs = performance.now();
    const isLate = (): boolean => performance.now() - startMs > this.#msMax;
    const timer = setInterval(() => {
      if (this.#closed || isLate()) connection.interrupt();
    }, lookEveryMs);
    try {
      if (this.#closed) throw busy('the run is closed');
      const rows = await connection.runAndReadAll(sql, values);
      return rows.getRowObjectsJS().map(read);
    } catch (error) {
      if (isLate()) throw busy(`it would take longer than ${this.#msMax / 1_000} s: narrow it down`);
      if (this.#closed) throw busy('the run is closed');
      if (/^Out of Memory/i.test(firstLine(error))) throw busy('it would take more memory than there is for it: narrow it down');
      throw error;
    } finally {
      clearInterval(timer);
      this.#giveBack(connection);
    }
  }

  async #take(): Promise<DuckDBConnection> {
    if (this.#closed) throw busy('the run is closed');
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#open >= connectionsMax) {
      if (this.#waiting.length >= waitingMax) throw busy('too much is asked at once');
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    this.#open++;
    try {
      return await this.#connect();
    } catch (error) {
      this.#open--;
      throw error;
    }
  }

  #giveBack(connection: DuckDBConnection): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }
}

function busy(why: string): DoubletakeError {
  return new DoubletakeError('DT_BUSY', `the run cannot answer this now: ${why}`);
}
