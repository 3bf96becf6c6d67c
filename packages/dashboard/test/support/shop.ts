/** A mirror with everything, on real sockets: a proxy before production, a candidate that is worse, a load, a dashboard. */
import { Agent, request } from 'node:http';
import { configFile, freePath } from '../../../doubletake/test/support/config-file.ts';
import { type RunningMirror, startMirror } from '../../../doubletake/test/support/mirror.ts';
import { startOrderService } from '../../../doubletake/test/support/order-service.ts';

const paths = ['/orders/', '/products/', '/prices/', '/stock/', '/customers/'];
const clients = 6;

export interface Shop {
  /** Of the dashboard. */
  origin: string;
  /** Stops the mirror; then starts it anew, with the dashboard where it was. */
  stopMirror(): Promise<void>;
  startMirror(): Promise<void>;
  rulesFile: string;
  close(): Promise<void>;
}

/** `dashboard`: of the configuration, beside where it listens. */
export async function startShop(dashboard: object = {}): Promise<Shop> {
  const [production, candidate] = [await startOrderService('before'), await startOrderService('after')];
  const rulesFile = freePath('.yaml');
  const config = (listen: string, proxy: string): object => ({
    sources: [{ proxy: { listen: proxy, upstream: production.url } }],
    policy: { sanitize: { key: 'a key of the tests, long enough' } },
    compare: { rulesFile },
    run: freePath('.run'),
    targets: [{ name: 'candidate', url: candidate.url, breaker: false }],
    dashboard: { listen, ...dashboard },
  });
  let mirror: RunningMirror = await startMirror([configFile(config('127.0.0.1:0', '127.0.0.1:0'))]);
  const { dashboard: at = '', proxy = '' } = mirror.ready;
  const load = startLoad(proxy);
  return {
    origin: `http://${at}`,
    rulesFile,
    stopMirror: async () => void (await mirror.stop()),
    async startMirror() {
      mirror = await startMirror([configFile(config(at, proxy))]);
    },
    async close() {
      await load.stop();
      await mirror.stop();
      await Promise.all([production.close(), candidate.close()]);
    },
  };
}

/** Clients that each ask for one thing after the other, whether or not anybody answers. */
function startLoad(proxy: string): { stop: () => Promise<void> } {
  const agent = new Agent({ keepAlive: true });
  let stopped = false;
  const client = async (first: number): Promise<void> => {
    for (let id = first; !stopped; id += clients) {
      const answered = await once(`http://${proxy}${paths[id % paths.length]}${id % 500}`, agent);
      if (!answered) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const ended = Array.from({ length: clients }, (_, index) => client(index));
  return {
    async stop() {
      stopped = true;
      await Promise.all(ended);
      agent.destroy();
    },
  };
}

function once(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    request(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(true)).on('error', () => resolve(false));
    })
      .on('error', () => resolve(false))
      .end();
  });
}
