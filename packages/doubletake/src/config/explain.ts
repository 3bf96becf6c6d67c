/**
 * A configuration in plain words, each line with where it comes from: a line of the file, or the default. Values that
 * came from the environment are shown as they stand in the file.
 */
import { hostPortText } from '../host-port.ts';
import type { ConfigDocument, Path } from './document.ts';
import { explainAws } from './explain-aws.ts';
import { explainCompare } from './explain-compare.ts';
import { explainDashboard } from './explain-dashboard.ts';
import { explainRecord } from './explain-record.ts';
import { explainTarget } from './explain-target.ts';
import { filterWords, Words } from './plain-words.ts';
import type { ProxyConfig } from './proxy-schema.ts';
import type { MirrorConfig, SourceConfig } from './schema.ts';
import type { FilesConfig } from './source-schema.ts';
import { packetSettings } from './sources.ts';

export function explain(config: MirrorConfig, document: ConfigDocument): string {
  const words = new Words(document);
  words.title('Sources');
  config.sources.forEach((source, index) => explainSource(words, source, index));
  words.title('Which requests are replayed');
  explainPolicy(words, config.policy);
  if (config.targets.length > 0) words.title(config.targets.length === 1 ? 'Target' : 'Targets');
  config.targets.forEach((target, index) => explainTarget(words, target, index));
  explainRecord(words, config);
  explainCompare(words, config);
  explainAws(words, config.aws);
  words.title('Running');
  explainRunning(words, config);
  return document.hide(words.text());
}

function explainSource(words: Words, source: SourceConfig, index: number): void {
  if ('proxy' in source) return explainProxy(words, source.proxy, ['sources', index, 'proxy']);
  if ('httpSink' in source) {
    const listen = ['sources', index, 'httpSink', 'listen'];
    const where = words.shown(listen, hostPortText(source.httpSink.listen));
    words.say(listen, `copies of requests that a proxy sends to TCP ${where}, each answered at once`);
    return;
  }
  if ('files' in source) {
    explainFiles(words, source.files, ['sources', index, 'files']);
    return;
  }
  const [kind = ''] = Object.keys(source);
  const path = ['sources', index, kind];
  const shown = (key: string, text: string): string => words.shown([...path, key], text);
  const { vni, ports, mergeTunnels } = packetSettings(source);
  if ('pcap' in source) {
    words.say([...path, 'file'], `the capture file ${shown('file', source.pcap.file)}`);
  } else if ('interface' in source) {
    const { name, promiscuous, tunnels } = source.interface;
    words.say([...path, 'name'], name === 'any' ? 'what passes any interface' : `what passes the interface ${shown('name', name)}`);
    if (promiscuous) words.say([...path, 'promiscuous'], 'also for other machines (promiscuous)', 1);
    if (tunnels) words.say([...path, 'tunnels'], 'also inside GRE, ERSPAN, IP in IP, VXLAN and GENEVE', 1);
  } else {
    const [title, { listen, receive }] = 'vxlan' in source ? ['VXLAN', source.vxlan] : ['GENEVE', source.geneve];
    words.say([...path, 'listen'], `${title} packets on UDP ${shown('listen', hostPortText(listen))}`);
    if (receive === 'ring') words.say([...path, 'receive'], 'taken from the interface\'s packet ring', 1);
  }
  words.say([...path, 'vni'], vni.length === 0 ? 'every network identifier (VNI)' : `only the network identifiers (VNI) ${vni.join(', ')}`, 1);
  words.say(
    [...path, 'ports'],
    ports.length === 0 ? 'every connection that carries HTTP, on whatever port' : `only connections to the server ports ${ports.join(', ')}`,
    1,
  );
  if (mergeTunnels) words.say([...path, 'mergeTunnels'], 'a packet seen through two tunnels is one packet', 1);
}

function explainFiles(words: Words, { paths, loop }: FilesConfig, path: Path): void {
  words.say([...path, 'paths'], `recorded traffic in ${words.shown([...path, 'paths'], paths.join(', '))}`);
  if (loop !== 1) words.say([...path, 'loop'], loop === 0 ? 'again and again, until it is stopped' : `${loop} times, one behind the other`, 1);
}

function explainProxy(words: Words, proxy: ProxyConfig, path: Path): void {
  const at = (key: string): Path => [...path, key];
  const { listen, upstream, tls } = proxy;
  words.say(
    at('listen'),
    `a proxy on TCP ${words.shown(at('listen'), hostPortText(listen))}, to production at ${words.shown(at('upstream'), upstream.url)}`,
  );
  if (tls !== undefined) words.say(at('tls'), `ends TLS, and offers clients ${tls.protocols.join(', ')}`, 1);
  if (proxy.acceptProxyProtocol) words.say(at('acceptProxyProtocol'), 'takes the client\'s address from a PROXY protocol header', 1);
  if (proxy.sendProxyProtocol) words.say(at('sendProxyProtocol'), 'tells production the client\'s address in a PROXY protocol header', 1);
  words.say(at('connectionsMax'), `at most ${words.shown(at('connectionsMax'), String(proxy.connectionsMax))} clients at once`, 1);
  words.say(at('connectTimeout'), `gives up a connection to production after ${proxy.connectTimeoutMs} ms`, 1);
}

function explainPolicy(words: Words, { methods, filters, sample, trustedProxies, sanitize }: MirrorConfig['policy']): void {
  const methodsPath = ['policy', 'methods'];
  if (methods === 'all') {
    words.say(methodsPath, 'every method but CONNECT, also those that change data (POST, PUT, PATCH, DELETE …)');
  } else {
    const allowed = methods === 'safe' ? ['GET', 'HEAD', 'OPTIONS'] : methods;
    words.say(methodsPath, `${allowed.join(', ')}; a request with any other method is never replayed`);
  }
  words.say(null, 'never: CONNECT, WebSocket and other upgrades, ambiguous framing, requests that were replayed before');
  filterWords(words, filters, ['policy', 'filters'], 0);
  const percentage = ['policy', 'sample', 'percentage'];
  const share = words.shown(percentage, String(sample.percentage));
  words.say(percentage, sample.percentage === 100 ? 'all of these' : `${share} % of these, ${togetherText(words, sample)}`);
  const { atLeastPerMinute } = sample;
  if (atLeastPerMinute !== undefined) {
    words.say(['policy', 'sample', 'atLeastPerMinute'], `and the first ${atLeastPerMinute} requests of every endpoint in each minute, whatever their key`, 1);
  }
  if (sanitize === undefined) words.say(['policy', 'sanitize'], 'as they came: nothing is sanitized');
  else {
    const presets = sanitize.presets.length === 0 ? 'no presets' : `presets ${sanitize.presets.join(', ')}`;
    words.say(['policy', 'sanitize'], `sanitized: ${presets}, ${sanitize.rules.length} rules; what cannot be read is not replayed`);
  }
  if (trustedProxies.length > 0) {
    words.say(['policy', 'trustedProxies'], `the client is whom X-Forwarded-For names behind ${trustedProxies.join(', ')}`);
  }
}

function togetherText(words: Words, { by, ...keys }: MirrorConfig['policy']['sample']): string {
  const key = (name: 'header' | 'cookie' | 'query' | 'segment' | 'claim'): string =>
    words.shown(['policy', 'sample', name], String(keys[name]));
  switch (by) {
    case 'request':
      return 'each request by itself';
    case 'connection':
      return 'all requests of one connection together';
    case 'remote-address':
      return 'all requests of one client together';
    case 'header':
      return `all requests with the same ${key('header')} together`;
    case 'cookie':
      return `all requests with the same cookie ${key('cookie')} together`;
    case 'query':
      return `all requests with the same query parameter ${key('query')} together`;
    case 'path-segment':
      return `all requests with the same path segment ${key('segment')} together`;
    case 'jwt-claim':
      return `all requests with the same claim ${key('claim')} in their token together`;
  }
}

function explainRunning(words: Words, config: MirrorConfig): void {
  words.say(['workers'], `${config.workers} worker ${config.workers === 1 ? 'thread' : 'threads'}`);
  words.say(['drain'], `a stop waits at most ${config.drainMs} ms for requests under way`);
  const { production, learnProduction } = config.guards;
  if (production.length > 0) {
    words.say(['guards', 'production'], `no target may be one of the ${production.length} addresses and names listed as production`);
  }
  words.say(
    ['guards', 'learnProduction'],
    learnProduction
      ? 'no target may be a server that is seen to answer in the mirrored traffic'
      : 'servers seen in the mirrored traffic are not taken for production: only what is listed is',
  );
  if (config.control !== undefined) words.say(['control'], `control: ${words.shown(['control'], config.control)}`);
  if (config.health !== undefined) {
    const address = words.shown(['health'], hostPortText(config.health));
    words.say(['health'], `health: http://${address}/healthz, metrics: http://${address}/metrics`);
  }
  const otlp = config.metrics?.otlp;
  if (otlp !== undefined) {
    const at = ['metrics', 'otlp', 'endpoint'];
    words.say(at, `metrics are sent to ${words.shown(at, otlp.endpoint)} every ${otlp.everyMs} ms`);
  }
  explainDashboard(words, config);
  if (config.ledger !== undefined) words.say(['ledger'], `ledger: written to ${words.shown(['ledger'], config.ledger)}`);
}
