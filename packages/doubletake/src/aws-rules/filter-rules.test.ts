import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Networks } from '../policy/network.ts';
import { parseAddress } from '../packets/address.ts';
import { type FilterRule, filterRules, mergedRanges, ruleText } from './filter-rules.ts';

const port = fc.integer({ min: 1, max: 12 });
const range = fc.tuple(port, port).map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }));
const network = fc.constantFrom('0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '::/0', '2001:db8::/32');
const address = fc.constantFrom('10.0.0.1', '10.1.2.3', '192.0.2.1', '2001:db8::1', 'fd00::1');

function holds(cidr: string, text: string): boolean {
  const words = new Int32Array(4);
  if (!parseAddress(text, words)) throw new TypeError(text);
  return cidr.includes(':') === text.includes(':') && new Networks([cidr]).contains(words);
}

/** What AWS does: the rule with the lowest number that matches decides, and none means no. */
function isMirrored(rules: readonly FilterRule[], packet: { direction: string; source: string; sourcePort: number; destination: string; destinationPort: number }): boolean {
  const within = (ports: FilterRule['sourcePorts'], number: number): boolean => ports === null || (number >= ports.from && number <= ports.to);
  return rules.some(
    (rule) =>
      rule.direction === packet.direction &&
      holds(rule.sourceCidr, packet.source) &&
      holds(rule.destinationCidr, packet.destination) &&
      within(rule.sourcePorts, packet.sourcePort) &&
      within(rule.destinationPorts, packet.destinationPort),
  );
}

test('exactly the requests to the ports, and the answers to them, are mirrored', () => {
  const model = fc.record({
    ports: fc.array(range, { maxLength: 4 }),
    clients: fc.array(network, { minLength: 1, maxLength: 3 }),
    servers: fc.array(network, { minLength: 1, maxLength: 3 }),
    responses: fc.boolean(),
  });
  fc.assert(
    fc.property(model, address, address, port, fc.integer({ min: 20, max: 30 }), (what, client, server, serverPort, clientPort) => {
      fc.pre(client.includes(':') === server.includes(':'));
      const rules = filterRules(what);
      const meant =
        (what.ports.length === 0 || what.ports.some(({ from, to }) => serverPort >= from && serverPort <= to)) &&
        what.clients.some((cidr) => holds(cidr, client)) &&
        what.servers.some((cidr) => holds(cidr, server));
      expect(isMirrored(rules, { direction: 'ingress', source: client, sourcePort: clientPort, destination: server, destinationPort: serverPort })).toBe(meant);
      expect(isMirrored(rules, { direction: 'egress', source: server, sourcePort: serverPort, destination: client, destinationPort: clientPort })).toBe(meant && what.responses);
      expect(new Set(rules.map(({ direction, number }) => `${direction} ${number}`)).size).toBe(rules.length);
    }),
    { numRuns: 300 },
  );
});

test('ranges that touch are one rule', () => {
  expect(mergedRanges([{ from: 81, to: 90 }, { from: 80, to: 80 }, { from: 443, to: 443 }, { from: 85, to: 95 }])).toEqual([{ from: 80, to: 95 }, { from: 443, to: 443 }]);
});

test('in words', () => {
  const rules = filterRules({ ports: [{ from: 80, to: 81 }], clients: ['10.0.0.0/8'], servers: ['10.1.0.0/16'], responses: true });
  expect(rules.map(ruleText)).toEqual(['ingress tcp from 10.0.0.0/8 to 10.1.0.0/16 port 80-81', 'egress tcp from 10.1.0.0/16 port 80-81 to 10.0.0.0/8']);
});
