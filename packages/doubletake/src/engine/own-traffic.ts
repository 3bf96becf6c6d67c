/**
 * Where our own requests go, so that a capture on this machine leaves them out: the addresses and ports of the targets.
 *
 * Names are looked up again while the mirror runs, as the replay does; addresses that a name had before stay, since
 * connections to them may go on. What still slips through (a new address in its first moments, a target behind
 * translation of addresses) carries X-Doubletake-Id and is never replayed.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { serverOfUrl } from '../host-port.ts';
import { excludedMax, type Endpoint } from '../system/capture-filter.ts';

const lookUpEveryMs = 15_000;

export class OwnTraffic {
  #urls: readonly URL[] = [];
  readonly #found = new Map<string, Endpoint>();
  readonly #onChange: () => void;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `onChange` hears of it whenever there are new `endpoints`, until `close`. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Numeric addresses and ports. */
  get endpoints(): Endpoint[] {
    return [...this.#found.values()];
  }

  /** These are the targets from now on; resolves when they were looked up. Names that are not known are left out. */
  async follow(urls: readonly URL[]): Promise<void> {
    this.#urls = urls;
    await this.#lookUp();
    clearInterval(this.#timer);
    if (this.#closed || urls.every((url) => isIP(serverOfUrl(url).host) !== 0)) return;
    this.#timer = setInterval(() => void this.#lookUp(), lookUpEveryMs).unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async #lookUp(): Promise<void> {
    const before = this.#found.size;
    await Promise.all(
      this.#urls.map(async (url) => {
        const { host, port } = serverOfUrl(url);
        const addresses = await lookup(host, { all: true }).catch(() => []);
        for (const { address } of addresses) {
          // One more than can be left out shows that there are too many; more need not be kept.
          if (this.#found.size <= excludedMax) this.#found.set(`${address} ${port}`, { address, port });
        }
      }),
    );
    if (this.#found.size > before && !this.#closed) this.#onChange();
  }
}
