/**
 * Where our own requests go, so that a capture on this machine leaves them out: the addresses and ports of the targets.
 *
 * Names are looked up again while the mirror runs, as the replay does; addresses that a name had before stay, since
 * connections to them may go on. What still slips through (a new address in its first moments, a target behind
 * translation of addresses) carries X-Doubletake-Id and is never replayed.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { excludedMax, type Endpoint } from '../system/capture-filter.ts';

const lookUpEveryMs = 15_000;

export class OwnTraffic {
  readonly #urls: readonly URL[];
  readonly #found = new Map<string, Endpoint>();
  #timer: NodeJS.Timeout | undefined;

  /** Looks the targets up for the first time; names that are not known are left out. */
  static async of(urls: readonly URL[]): Promise<OwnTraffic> {
    const own = new OwnTraffic(urls);
    await own.#lookUp();
    return own;
  }

  private constructor(urls: readonly URL[]) {
    this.#urls = urls;
  }

  /** Numeric addresses and ports. */
  get endpoints(): Endpoint[] {
    return [...this.#found.values()];
  }

  /** Calls back whenever there are new ones, until `close`. */
  watch(onChange: () => void): void {
    if (this.#urls.every((url) => isIP(bareHost(url)) !== 0)) return;
    this.#timer = setInterval(() => {
      const before = this.#found.size;
      void this.#lookUp().then(() => {
        if (this.#timer !== undefined && this.#found.size > before) onChange();
      });
    }, lookUpEveryMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #lookUp(): Promise<void> {
    await Promise.all(
      this.#urls.map(async (url) => {
        const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
        const addresses = await lookup(bareHost(url), { all: true }).catch(() => []);
        for (const { address } of addresses) {
          // One more than can be left out shows that there are too many; more need not be kept.
          if (this.#found.size <= excludedMax) this.#found.set(`${address} ${port}`, { address, port });
        }
      }),
    );
  }
}

/** The host of a URL, without the brackets of an IPv6 address. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
