import { describe, expect, test } from 'vitest';
import { ConfigDocument } from './document.ts';
import { explain } from './explain.ts';
import { buildAwsConfig, buildConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import type { AwsConfig } from './aws-config.ts';

const least = 'sources: [{ tags: { app: shop } }], target: { networkLoadBalancer: mirrors }';

function load(text: string): AwsConfig | undefined {
  return buildAwsConfig(new ConfigDocument('c.yaml', text, {}));
}

function problems(text: string): readonly string[] {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines.map((line) => line.replace(/^c\.yaml:/, ''));
    throw error;
  }
  return [];
}

const mirror = (more: string): string => `sources: [{ vxlan: { vni: [77, 78], ports: [80, 81] } }, { vxlan: { listen: 4790, ports: [81] } }]\ntargets: [{ name: a, url: "http://x" }]\n${more}`;

describe('what is not said', () => {
  test('has its default, in a file of its own', () => {
    expect(load(`aws: { ${least} }\n`)).toEqual({
      name: 'doubletake',
      regions: [],
      accounts: [],
      sources: [{ tags: { app: ['shop'] } }],
      exclude: [],
      interfaces: 'all',
      instanceTypes: 'listed',
      filter: { ports: [], clients: ['0.0.0.0/0', '::/0'], servers: ['0.0.0.0/0', '::/0'], responses: true, existing: null, networkServices: [] },
      target: { kind: 'network-load-balancer', name: 'mirrors', vpcs: [] },
      session: { number: 1, vni: 1, packetLength: null },
      watch: null,
    });
  });

  test.each([
    ['', false],
    ['compare: {}\n', true],
    ['run: runs/x\n', true],
    ['record: { directory: r }\n', true],
  ])('is what the mirror says: ports, VNI, and responses where they are wanted: %j', (more, responses) => {
    expect(load(mirror(`${more}aws: { ${least} }\n`))).toMatchObject({
      filter: { ports: [{ from: 80, to: 80 }, { from: 81, to: 81 }], responses },
      session: { vni: 77 },
    });
  });

  test('and what is said holds', () => {
    const said = `aws: { ${least}, filter: { ports: [8080, "9000-9010"], responses: true, clients: ["10.1.2.3/8"] }, session: { vni: 5, number: 2 }, watch: { every: 30s } }\n`;
    expect(load(mirror(said))).toMatchObject({
      filter: { ports: [{ from: 8_080, to: 8_080 }, { from: 9_000, to: 9_010 }], responses: true, clients: ['10.0.0.0/8'] },
      session: { vni: 5, number: 2 },
      watch: { everyMs: 30_000, queueUrl: null },
    });
  });

  test('a file without aws has none', () => {
    expect(load(mirror(''))).toBeUndefined();
  });
});

test.each<[string, RegExp]>([
  ['aws: { target: { networkLoadBalancer: a } }', /^1:1: aws\.sources: is missing/],
  ['aws: { sources: [{ tags: { a: b } }] }', /^1:1: aws\.target: is missing/],
  [`aws: { ${least}, session: { vni: 0 } }`, /aws\.session\.vni: found 0, expected a whole number from 1 to 16777215$/],
  [`aws: { ${least}, session: { vni: 16777216 } }`, /aws\.session\.vni: found 16777216/],
  [`aws: { ${least}, session: { number: 32767 } }`, /aws\.session\.number: found 32767, expected a whole number from 1 to 32766$/],
  [`aws: { ${least}, session: { packetLength: 8501 } }`, /aws\.session\.packetLength: found 8501, expected at most 8500: the target is a load balancer$/],
  [`aws: { ${least}, filter: { ports: [1, 3, 5] } }`, /aws\.filter: .*these ports and networks take 12 rules, and a filter of AWS has 10/],
  [`aws: { ${least}, filter: { clients: ["10.0.0.0/8"], servers: ["::/0"] } }`, /aws\.filter\.servers: no network of the clients is of the same family/],
  [`aws: { ${least}, filter: { ports: [0] } }`, /aws\.filter\.ports\[0\]: found 0, expected a port from 1 to 65535/],
  [`aws: { ${least}, filter: { clients: ["10.0.0.0/40"] } }`, /aws\.filter\.clients\[0\]: found "10\.0\.0\.0\/40", expected a network/],
  [`aws: { ${least}, region: frankfurt }`, /aws\.region: found "frankfurt", expected a region such as eu-central-1/],
  [`aws: { ${least}, name: "a b" }`, /aws\.name: found "a b", expected a name/],
  ['aws: { sources: [{}], target: { networkLoadBalancer: a } }', /aws\.sources\[0\]: found a mapping, expected at least one of tags/],
  ['aws: { sources: [{ instances: [x] }], target: { networkLoadBalancer: a } }', /aws\.sources\[0\]\.instances\[0\]: found "x", expected the id of an instance, such as i-0123456789abcdef0$/],
  ['aws: { sources: [{ tags: { a: b } }], target: {} }', /aws\.target: .*expected exactly one of mirrorTarget/],
  ['aws: { sources: [{ tags: { a: b } }], target: { networkInterface: eni-00000001, networkLoadBalancer: a } }', /aws\.target: .*expected exactly one of/],
  [`aws: { ${least}, region: [eu-central-1, us-east-1], filter: { mirrorFilter: tmf-00000001 } }`, /aws\.filter\.mirrorFilter: .*expected an id for each region; there is none for eu-central-1, us-east-1$/],
  ['aws: { sources: [{ tags: { a: b } }], region: [eu-central-1, us-east-1], target: { mirrorTarget: { eu-central-1: tmt-00000001 } } }', /there is none for us-east-1$/],
  ['aws: { sources: [{ tags: { a: b } }], region: [eu-central-1, us-east-1], target: { networkInterface: eni-00000001 } }', /aws\.target: .*expected what each of the regions has/],
  [`aws: { ${least}, accounts: [{ role: "arn:aws:iam::111111111111:role/a" }, { role: "arn:aws:iam::222222222222:role/a" }] }`, /aws\.target: .*expected mirrorTarget: several accounts/],
  [`aws: { ${least}, accounts: [{ role: admin }] }`, /aws\.accounts\[0\]\.role: found "admin", expected the ARN of a role/],
  [`aws: { ${least}, watch: { queue: "changes" } }`, /aws\.watch/],
  [`aws: { ${least}, sauces: 1 }`, /aws\.sauces: unknown setting "sauces" \(did you mean sources\?\)/],
])('%s is a mistake with its place', (text, line) => {
  const found = problems(`${text}\n`);
  expect(found).toEqual([expect.stringMatching(line) as string]);
  expect(found[0]).toMatch(/^1:\d+: aws/);
});

test('ten rules are taken', () => {
  expect(problems(`aws: { ${least}, filter: { ports: [1, 3, 5, 7, 9], clients: ["0.0.0.0/0"] } }\n`)).toEqual([]);
});

test('in plain words', () => {
  const document = new ConfigDocument('c.yaml', mirror(`aws: { ${least}, exclude: [{ ecsServices: [{ service: a }] }], watch: true }\n`), {});
  const text = explain(buildConfig(document, []), document);
  for (const line of ['mirrored: tags app=shop', 'but not: ecsServices default/a', 'TCP ports 80-81, in 2 of the 10 rules of a filter', 'requests alone', 'to the network load balancer mirrors', 'session number 1, VNI 77, whole packets', 'every 60000 ms']) {
    expect(text).toContain(line);
  }
});
