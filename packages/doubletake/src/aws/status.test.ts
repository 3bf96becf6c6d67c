import { expect, test } from 'vitest';
import type { Inventory, MirrorFilter } from './inventory.ts';
import type { MirrorMetrics } from './metrics.ts';
import { explainGaps, sessionStatuses } from './status.ts';

const owned = { 'doubletake:owner': 'shop' };
const rule = { id: 'tmfr-1', action: 'accept', number: 1, protocol: 6, sourcePorts: null, destinationPorts: null, sourceCidr: '0.0.0.0/0', destinationCidr: '0.0.0.0/0' };
const both: MirrorFilter['rules'] = [{ ...rule, direction: 'ingress' }, { ...rule, direction: 'egress' }];

function inventory(rules: MirrorFilter['rules'] = both, foreignNumber = 9): Inventory {
  const session = { id: 'tms-1', interface: 'eni-1', target: 'tmt-1', filter: 'tmf-1', number: 5, vni: 1, packetLength: null, tags: owned };
  return {
    account: '1',
    region: 'eu-central-1',
    interfaces: [{ id: 'eni-1', type: 'interface', status: 'in-use', vpc: 'v', subnet: 's', instance: 'i-1', primary: true, ipv4: '10.0.0.1', managedBy: null, tags: {} }],
    instances: new Map([['i-1', { id: 'i-1', type: 'm5.large', state: 'running', tags: { Name: 'web-1' } }]]),
    ecsServices: new Map(),
    peerings: [],
    sessions: [session, { ...session, id: 'tms-2', number: foreignNumber, tags: {} }],
    filters: [{ id: 'tmf-1', rules, networkServices: [], tags: owned }],
    targets: [],
    destination: { kind: 'network-load-balancer', resource: 'arn', mirrorTarget: null, vpc: 'v', instanceType: null },
    health: { healthy: null, all: null, mirrors: new Set(), findings: [] },
  };
}

const metrics = (mirroredIn: number | null, mirroredOut: number | null, skippedIn: number | null = 0, skippedOut: number | null = 0): MirrorMetrics => ({ mirroredIn, mirroredOut, skippedIn, skippedOut });

test.each<[string, Inventory, MirrorMetrics, RegExp[]]>([
  ['all is well', inventory(), metrics(1e6, 1e7), []],
  ['skipped', inventory(), metrics(9e6, 0, 1e6, 0), [/^10\.0 % of what should have been mirrored was skipped/]],
  ['hardly skipped', inventory(), metrics(1e9, 1e9, 10, 0), []],
  ['no responses', inventory(), metrics(1e6, 0), [/no responses/]],
  ['no requests', inventory(), metrics(0, 1e6), [/no requests/]],
  ['nothing', inventory(), metrics(0, 0), [/^nothing was mirrored/]],
  ['no numbers', inventory(), metrics(null, null, null, null), [/^CloudWatch has no number yet/]],
  ['a filter without rules', inventory([]), metrics(1, 1), [/no rules/]],
  ['a filter without outbound rules', inventory(both.slice(0, 1)), metrics(1, 1), [/no outbound rule/]],
  ['a filter that rejects', inventory(both.map((one) => ({ ...one, action: 'reject' }))), metrics(1, 1), [/no inbound rule/, /no outbound rule/]],
  ['somebody else\'s session before ours', inventory(both, 1), metrics(1, 1), [/tms-2, which is not ours, has the lower number 1/]],
])('%s', (_, what, numbers, texts) => {
  const statuses = sessionStatuses('shop', what, new Map([['i-1', numbers]]));
  expect(statuses).toEqual([{ session: 'tms-1', interface: 'eni-1', instance: 'i-1', name: 'web-1', metrics: numbers }]);
  expect(explainGaps('shop', what, statuses).map(({ text }) => text)).toEqual(texts.map((text) => expect.stringMatching(text) as string));
});
