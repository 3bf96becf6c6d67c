/** Traffic mirroring on AWS in plain words. */
import { filterRules, mergedRanges, rangeText } from '../aws-rules/filter-rules.ts';
import { ownerTag } from '../aws-rules/ownership.ts';
import type { AwsConfig, TargetConfig } from './aws-config.ts';
import type { Selector } from './aws-schema.ts';
import type { Words } from './plain-words.ts';

export function explainAws(words: Words, aws: AwsConfig | undefined): void {
  if (aws === undefined) return;
  const at = (...keys: (string | number)[]): (string | number)[] => ['aws', ...keys];
  const { filter, session, target, watch } = aws;
  words.title('Traffic mirroring on AWS (doubletake aws)');
  words.say(at('region'), aws.regions.length === 0 ? 'in the region of the environment' : `in ${aws.regions.join(', ')}`);
  if (aws.accounts.length > 0) words.say(at('accounts'), `in the accounts of ${aws.accounts.map(({ role }) => role).join(', ')}`);
  words.say(at('name'), `what is made has the tag ${ownerTag}=${aws.name}, and nothing else is changed`);
  aws.sources.forEach((selector, index) => words.say(at('sources', index), `mirrored: ${selectorText(selector)}`));
  aws.exclude.forEach((selector, index) => words.say(at('exclude', index), `but not: ${selectorText(selector)}`));
  words.say(at('interfaces'), aws.interfaces === 'all' ? 'all interfaces of an instance' : 'the first interface of an instance', 1);
  if (filter.existing === null) {
    const ports = filter.ports.length === 0 ? 'every TCP port' : `TCP ports ${mergedRanges(filter.ports).map(rangeText).join(', ')}`;
    words.say(at('filter', 'ports'), `${ports}, in ${filterRules(filter).length} of the 10 rules of a filter`);
    words.say(at('filter', 'clients'), `from ${filter.clients.join(', ')}`, 1);
    words.say(at('filter', 'servers'), `to ${filter.servers.join(', ')}`, 1);
    words.say(at('filter', 'responses'), filter.responses ? 'and the responses' : 'requests alone: responses are not mirrored', 1);
  } else {
    words.say(at('filter', 'mirrorFilter'), `through the traffic mirror filter ${regionalText(filter.existing)} as it is`);
  }
  words.say(at('target'), `to ${targetText(target)}`);
  const { vni, number, packetLength } = session;
  words.say(at('session'), `session number ${number}, VNI ${vni}, ${packetLength === null ? 'whole packets' : `the first ${packetLength} bytes of each packet`}`);
  if (watch === null) words.say(at('watch'), 'sessions follow the fleet when `doubletake aws apply` runs');
  else words.say(at('watch'), `a running mirror keeps the sessions true, every ${watch.everyMs} ms${watch.queueUrl === null ? '' : ' and on events'}`);
}

function selectorText(selector: Selector): string {
  return Object.entries(selector)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${partText(value)}`)
    .join(' and ');
}

function partText(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'string' ? item : Object.values(item as object).join('/'))).join(' or ');
  return Object.entries(value as Record<string, string[]>)
    .map(([tag, values]) => `${tag}=${values.join('|')}`)
    .join(' and ');
}

function targetText(target: TargetConfig): string {
  switch (target.kind) {
    case 'mirror-target':
      return `the traffic mirror target ${regionalText(target.ids)}`;
    case 'network-load-balancer':
      return `the network load balancer ${target.name}`;
    case 'network-interface':
      return `the network interface ${target.id}`;
    case 'gateway-load-balancer-endpoint':
      return `the gateway load balancer endpoint ${target.id}`;
  }
}

function regionalText(ids: string | Readonly<Record<string, string>> | null): string {
  return ids === null || typeof ids === 'string' ? String(ids) : Object.entries(ids).map(([region, id]) => `${id} (${region})`).join(', ');
}
