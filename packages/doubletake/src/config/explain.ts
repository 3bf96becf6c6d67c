/**
 * A configuration in plain words, each line with where it comes from: a line of the file, or the default. Values that
 * came from the environment are shown as they stand in the file.
 */
import type { ConfigDocument, Path } from './document.ts';
import { formatListen } from './listen.ts';
import type { MirrorConfig, SourceConfig, TargetConfig } from './schema.ts';
import { packetSettings } from './source-schema.ts';

type FilterConfig = MirrorConfig['policy']['filters'][number];

export function explain(config: MirrorConfig, document: ConfigDocument): string {
  const words = new Words(document);
  words.title('Sources');
  config.sources.forEach((source, index) => explainSource(words, source, index));
  words.title('Which requests are replayed');
  explainPolicy(words, config.policy);
  words.title(config.targets.length === 1 ? 'Target' : 'Targets: each gets every request that is replayed');
  config.targets.forEach((target, index) => explainTarget(words, target, index));
  words.title('Running');
  explainRunning(words, config);
  return document.hide(words.text());
}

function explainSource(words: Words, source: SourceConfig, index: number): void {
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
    words.say([...path, 'listen'], `${title} packets on UDP ${shown('listen', formatListen(listen))}`);
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

function explainPolicy(words: Words, { methods, filters, sample, trustedProxies, sanitize }: MirrorConfig['policy']): void {
  const methodsPath = ['policy', 'methods'];
  if (methods === 'all') {
    words.say(methodsPath, 'every method but CONNECT, also those that change data (POST, PUT, PATCH, DELETE …)');
  } else {
    const allowed = methods === 'safe' ? ['GET', 'HEAD', 'OPTIONS'] : methods;
    words.say(methodsPath, `${allowed.join(', ')}; a request with any other method is never replayed`);
  }
  words.say(null, 'never: CONNECT, WebSocket and other upgrades, ambiguous framing, requests that were replayed before');
  filters.forEach((rule, index) => explainFilter(words, rule, ['policy', 'filters', index]));
  if (filters.some(({ include }) => include !== undefined)) {
    words.say(['policy', 'filters'], 'what none of these rules matches: not replayed, counted as filtered.no_include_matched');
  }
  const percentage = ['policy', 'sample', 'percentage'];
  const share = words.shown(percentage, String(sample.percentage));
  words.say(percentage, sample.percentage === 100 ? 'all of these' : `${share} % of these, ${togetherText(words, sample)}`);
  if (sanitize === undefined) words.say(['policy', 'sanitize'], 'as they came: nothing is sanitized');
  else {
    const presets = sanitize.presets.length === 0 ? 'no presets' : `presets ${sanitize.presets.join(', ')}`;
    words.say(['policy', 'sanitize'], `sanitized: ${presets}, ${sanitize.rules.length} rules; what cannot be read is not replayed`);
  }
  if (trustedProxies.length > 0) {
    words.say(['policy', 'trustedProxies'], `the client is whom X-Forwarded-For names behind ${trustedProxies.join(', ')}`);
  }
}

function explainFilter(words: Words, rule: FilterConfig, path: Path): void {
  const kind = rule.exclude === undefined ? 'include' : 'exclude';
  const condition = conditionText(rule.exclude ?? rule.include);
  words.say(
    path,
    kind === 'exclude'
      ? `${rule.name}: never replayed, counted as filtered.${rule.name}: ${condition}`
      : `${rule.name}: may be replayed: ${condition}`,
  );
}

/** As it is written, on one line and without the quotes around names. */
function conditionText(condition: unknown): string {
  return JSON.stringify(condition).replaceAll(/"(\w+)":/g, '$1: ').replaceAll(',', ', ');
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

function explainTarget(words: Words, target: TargetConfig, index: number): void {
  const path: Path = ['targets', index];
  const at = (key: string): Path => [...path, key];
  const limit = (key: string): Path => [...path, 'limits', key];
  const { limits } = target;
  words.say(at('url'), `${words.shown(at('name'), target.name)}: ${words.shown(at('url'), target.url)}`);
  words.say(at('host'), target.host === 'target' ? 'Host header: the target\'s own' : 'Host header: as production saw it', 1);
  words.say(
    at('ordering'),
    target.ordering === 'connection' ? 'requests of one production connection keep their order' : 'requests in no order',
    1,
  );
  if (target.ca !== undefined) words.say(at('ca'), `trusts the certificate authorities in ${words.shown(at('ca'), target.ca)}`, 1);
  const number = (key: 'inFlight' | 'queueRequests' | 'queueBytes', unit: string): void =>
    words.say(limit(key), `at most ${words.shown(limit(key), String(limits[key]))} ${unit} of each worker`, 1);
  number('inFlight', 'requests in flight');
  number('queueRequests', 'requests waiting');
  number('queueBytes', 'bytes waiting or in flight');
  words.say(limit('connectTimeout'), `gives up a connection after ${limits.connectTimeoutMs} ms`, 1);
  words.say(limit('responseTimeout'), `gives up a request after ${limits.responseTimeoutMs} ms`, 1);
}

function explainRunning(words: Words, config: MirrorConfig): void {
  words.say(['workers'], `${config.workers} worker ${config.workers === 1 ? 'thread' : 'threads'}`);
  words.say(['drain'], `a stop waits at most ${config.drainMs} ms for requests under way`);
  if (config.health !== undefined) words.say(['health'], `health: http://${words.shown(['health'], formatListen(config.health))}/healthz`);
  if (config.ledger !== undefined) words.say(['ledger'], `ledger: written to ${words.shown(['ledger'], config.ledger)}`);
}

const placeColumn = 90;

class Words {
  readonly #document: ConfigDocument;
  readonly #lines: string[] = [];

  constructor(document: ConfigDocument) {
    this.#document = document;
  }

  title(text: string): void {
    if (this.#lines.length > 0) this.#lines.push('');
    this.#lines.push(text);
  }

  /** A line that says what the setting at `path` means; null for what no setting changes. */
  say(path: Path | null, text: string, depth = 0): void {
    const place = path === null ? 'always' : this.#document.has(path) ? `line ${this.#document.place(path).line}` : 'default';
    this.#lines.push(`${`${'  '.repeat(depth + 1)}${text}`.padEnd(placeColumn)} (${place})`);
  }

  /** `text`, or the `${NAME}` that stands in the file for it. */
  shown(path: Path, text: string): string {
    return this.#document.sourceOfVariable(path) ?? text;
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
