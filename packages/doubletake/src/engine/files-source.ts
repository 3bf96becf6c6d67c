/** Recorded traffic as a source: files of all formats, merged, within a window of time, as often as was asked for. */
import type { FilesConfig, Moment } from '../config/source-schema.ts';
import { type EntryProblem, isExchange, problemText, type TrafficReader } from '../recording/formats/traffic.ts';
import { openTraffic } from '../recording/formats/open-traffic.ts';
import type { RecordedExchange } from '../recording/recorded-exchange.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type FileShare, partOf, takesConnection } from './file-share.ts';
import type { FilesIntake } from './files-intake.ts';
import { RoomOrClose } from './room-or-close.ts';
import type { RunningSource } from './running-source.ts';

/** Exchanges handed over before other work of the thread gets its turn. */
const turnMax = 32;

/** Entries that are told of one by one; the others are counted. */
const toldMax = 10;

/** Files are nearly in order: nothing that comes so far behind the end of the window belongs into it. */
const disorderUsMax = 600_000_000;

/**
 * Reads no faster than the targets take it: files can wait, so nothing of them is ever dropped for want of room. Replays
 * the connections of `share`; what is said of the files as a whole is said by the first.
 */
export async function startFiles(
  files: FilesConfig,
  share: FileShare,
  intake: FilesIntake,
  dispatcher: Dispatcher,
  warn: (text: string) => void,
): Promise<RunningSource> {
  // What cannot be read ends the start, before anybody is told that traffic flows.
  const player = new Player(files, share, intake, dispatcher, warn, await open(files, intake));
  const exhausted = player.run().catch((error: unknown) => warn(error instanceof Error ? error.message : String(error)));
  return {
    address: `files=${files.paths.join(',')}`,
    exhausted,
    kernelDrops: () => 0,
    close: async () => {
      player.close();
      await exhausted;
    },
  };
}

function open({ paths, key, from, to, ports, vni, mergeTunnels }: FilesConfig, { responseBodyBytesMax }: FilesIntake): Promise<TrafficReader> {
  return openTraffic(paths, {
    key: key ?? null,
    ...(from !== undefined && 'atUs' in from ? { fromUs: from.atUs } : {}),
    ...(to !== undefined && 'atUs' in to ? { toUs: to.atUs } : {}),
    ports: ports.length > 0 ? new Set(ports) : null,
    vnis: vni.length > 0 ? new Set(vni) : null,
    mergeTunnels,
    responseBodyBytesMax,
  });
}

class Player {
  readonly #files: FilesConfig;
  readonly #share: FileShare;
  readonly #intake: FilesIntake;
  readonly #dispatcher: Dispatcher;
  readonly #room: RoomOrClose;
  readonly #warn: (text: string) => void;
  #reader: TrafficReader;
  #problems = 0;
  /** When the first request of the files began. */
  #firstUs = Number.NaN;
  /** The window. */
  #fromUs = -Infinity;
  #toUs = Infinity;
  /** Of the pass that is under way: times of the first and the last request that all shares replay, and their number. */
  #beganUs = 0;
  #lastUs = 0;
  #count = 0;
  #laterUs = 0;
  #sinceTurn = 0;

  constructor(files: FilesConfig, share: FileShare, intake: FilesIntake, dispatcher: Dispatcher, warn: (text: string) => void, reader: TrafficReader) {
    this.#files = files;
    this.#share = share;
    this.#intake = intake;
    this.#dispatcher = dispatcher;
    this.#room = new RoomOrClose(dispatcher);
    this.#warn = warn;
    this.#reader = reader;
  }

  close(): void {
    this.#room.close();
  }

  async run(): Promise<void> {
    const { loop } = this.#files;
    for (let pass = 1; !this.#room.closed; pass++) {
      // oxlint-disable-next-line no-await-in-loop -- one pass follows the other
      await this.#play(pass);
      if (pass === loop || (loop === 0 && this.#count === 0)) break;
      // As if what comes next came as long behind the last request as requests came behind each other.
      const spanUs = this.#count === 0 ? 0 : this.#lastUs - this.#beganUs;
      this.#laterUs += spanUs + Math.max(1_000, spanUs / Math.max(1, this.#count - 1));
      this.#intake.forgetConnections();
      // oxlint-disable-next-line no-await-in-loop -- as above
      this.#reader = await open(this.#files, this.#intake);
    }
    if (this.#problems > toldMax) this.#warn(`${this.#problems - toldMax} more entries could not be used`);
  }

  async #play(pass: number): Promise<void> {
    const reader = this.#reader;
    this.#firstUs = Number.NaN;
    this.#count = 0;
    for await (const batch of reader) {
      for (const item of batch) {
        if (this.#room.closed) return;
        if (!isExchange(item)) {
          this.#problem(item, pass);
          continue;
        }
        const place = this.#place(item);
        if (place === 'over') return;
        if (place !== 'inside') continue;
        if (this.#count++ === 0) this.#beganUs = item.request.startUs;
        this.#lastUs = item.request.startUs;
        if (!takesConnection(this.#share, item.connection.key)) continue;
        if (!this.#dispatcher.room || this.#sinceTurn >= turnMax) {
          this.#sinceTurn = 0;
          // oxlint-disable-next-line no-await-in-loop -- one follows the other, and most do not wait
          await this.#room.makeWay();
        }
        if (this.#room.closed) return;
        this.#offer(item);
      }
      this.#progress(pass);
    }
    this.#progress(pass);
  }

  #problem(problem: EntryProblem, pass: number): void {
    if (this.#share.index > 0) return;
    this.#intake.problem(problem);
    if (pass === 1 && ++this.#problems <= toldMax) this.#warn(problemText(problem));
  }

  #offer(exchange: RecordedExchange): void {
    this.#sinceTurn++;
    this.#intake.exchange(exchange, this.#laterUs);
  }

  /** Where an exchange lies in the window. */
  #place({ request: { startUs } }: RecordedExchange): 'before' | 'inside' | 'behind' | 'over' {
    if (Number.isNaN(this.#firstUs)) {
      this.#firstUs = startUs;
      this.#fromUs = this.#momentUs(this.#files.from) ?? -Infinity;
      this.#toUs = this.#momentUs(this.#files.to) ?? Infinity;
    }
    if (startUs < this.#fromUs) return 'before';
    if (startUs < this.#toUs) return 'inside';
    return startUs > this.#toUs + disorderUsMax ? 'over' : 'behind';
  }

  #momentUs(moment: Moment | undefined): number | null {
    if (moment === undefined) return null;
    return 'atUs' in moment ? moment.atUs : this.#firstUs + moment.behindStartUs;
  }

  #progress(pass: number): void {
    const { done, total } = this.#reader;
    const { loop } = this.#files;
    this.#intake.progress(partOf((pass - 1) * total + done, this.#share), partOf(loop * total, this.#share));
  }
}
