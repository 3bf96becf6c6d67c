import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { CelEngine, type StandardDiagnostic, TemplateFile } from '@aws/cloudformation-validate';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseTemplate, propertiesOf, resourcesOf, type StackResource, userDataOf } from '../../../test/support/cloudformation.ts';
import { findProgram, folderWith, missing } from '../../../test/support/proxies.ts';
import { progressFields } from '../../cli/progress-fields.ts';
import { ConfigDocument } from '../../config/document.ts';
import { buildConfig } from '../../config/load.ts';
import type { MirrorConfig } from '../../config/schema.ts';
import type { LedgerReport } from '../../ledger/report.ts';
import { version } from '../../version.ts';
import { logMetrics } from './alarms.ts';
import { families, parameterGroups, type StackParameter } from './parameters.ts';
import { cloudFormationTemplate } from './template.ts';

const text = cloudFormationTemplate(version());
const template = parseTemplate(text);
const parameters: StackParameter[] = parameterGroups(version()).flatMap((group) => group.parameters);

/** What has to be given. */
const required = {
  HandlerVpcId: 'vpc-0123456789abcdef0',
  HandlerSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  MirrorSourceCidrBlock: '10.1.0.0/16',
  TrafficMirroringVNI: 4711,
  RequestsForwardDestination: 'http://test.internal:8080/base',
};
const everything = {
  ...required,
  InstanceType: 'c7gn.large',
  KeyName: 'my key',
  SSHLocation: '10.9.0.0/16',
  SessionManager: 'true',
  PercentageBy: 'header',
  PercentageByHeader: 'X-User-Id',
  ForwardPercentage: 12.5,
  KeepOriginalHostHeader: 'true',
  ConfigurationParameter: '/doubletake/mirror.yaml',
  AlarmTopicArn: 'arn:aws:sns:eu-central-1:123456789012:alarms',
  ReleaseObject: 'releases/doubletake-0.1.0.tgz',
  ReleaseSha256: 'a'.repeat(64),
};

function stack(given: Parameters<typeof resourcesOf>[1] = {}): Record<string, StackResource> {
  return resourcesOf(template, { ...required, ...given });
}

test('the template', async () => {
  await expect(text).toMatchFileSnapshot('../../../../../deploy/cloudformation/doubletake.yaml');
});

describe('AWS\'s own validator', () => {
  let validate: (text: string) => string[];

  beforeAll(() => {
    const engine = new CelEngine();
    // The images are looked up when a stack is made; the validator would take the names of their parameters for images.
    const parameterOverrides = {
      LatestAmiIdX86: 'ami-0123456789abcdef0',
      LatestAmiIdArm: 'ami-0123456789abcdef1',
      AlarmTopicArn: everything.AlarmTopicArn,
    };
    validate = (yaml) => {
      const file = new TemplateFile(join(folderWith({ 'template.yaml': yaml }), 'template.yaml'));
      const { diagnostics } = engine.validateStandard(file, { severityLevel: 'WARN', parameterOverrides });
      return diagnostics.map(({ ruleId, entity, propertyPath, message }: StandardDiagnostic) =>
        [ruleId, entity?.logicalId, propertyPath, message].join(' '),
      );
    };
  });

  test('finds nothing: types, properties, what is required, references, parameters that are not used', () => {
    expect(validate(text)).toEqual([]);
  });

  test.each([
    ['a property that does not exist', '      Scheme: internal', '      Sheme: internal', /'Sheme' was unexpected/],
    ['a property of the wrong type', 'RuleNumber: 100', 'RuleNumber: first', /'first' is not of type 'integer'/],
    ['a required property that is missing', '      TrafficDirection: ingress\n', '', /'TrafficDirection' is a required property/],
    ['a reference to nothing', '!Ref NLBTargetGroup', '!Ref TargetGroup', /'TargetGroup' is not one of/],
    ['an attribute that does not exist', 'NLBTargetGroup.TargetGroupFullName', 'NLBTargetGroup.FullName', /'FullName' is not one of/],
    ['a parameter that is not used', '!Ref LogRetentionDays', '30', /'LogRetentionDays' is not referenced/],
  ])('would find %s', (_, right, wrong, finding) => {
    expect(text).toContain(right);
    expect(validate(text.replace(right, wrong)).join('\n')).toMatch(finding);
  });
});

describe('parameters', () => {
  test('those of the published handler have the names that its users know', () => {
    const published =
      'HandlerVpcId HandlerSubnetIds InstanceType InstanceNumber KeyName SSHLocation RequestsForwardDestination ForwardPercentage PercentageBy ' +
      'PercentageByHeader FilterByDestinationPort FilterBySourceCidrBlock FilterByDestinationCidrBlock KeepOriginalHostHeader TrafficMirroringVNI ' +
      'LatestAmiIdX86 LatestAmiIdArm';
    expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(published.split(' ')));
  });

  test.each(parameters.filter((parameter) => parameter.default !== undefined))('the default of $name is allowed', ({ default: preset, values, pattern, min, max }) => {
    if (values !== undefined) expect(values).toContain(String(preset));
    if (pattern !== undefined) expect(String(preset)).toMatch(new RegExp(`^(?:${pattern})$`));
    if (min !== undefined) expect(Number(preset)).toBeGreaterThanOrEqual(min);
    if (max !== undefined) expect(Number(preset)).toBeLessThanOrEqual(max);
  });

  // All that is free text, but the key pair's name, which no script sees.
  test.each(parameters.filter(({ name, type, values }) => type === 'String' && values === undefined && name !== 'KeyName'))(
    '$name cannot end what it stands in',
    ({ name, pattern = '.*', default: preset }) => {
      const matcher = new RegExp(`^(?:${pattern})$`);
      const sample = String(Reflect.get(everything, name) ?? preset);
      expect(sample).toMatch(matcher);
      for (const character of ["'", '"', '`', '$', '\\', '\n', ' ', ';', '{', '}', '#', ',']) expect(`${sample}${character}`).not.toMatch(matcher);
    },
  );

  test.each([
    ['c7gn.large', 'LatestAmiIdArm'],
    ['t4g.nano', 'LatestAmiIdArm'],
    ['t3.small', 'LatestAmiIdX86'],
    ['m6in.4xlarge', 'LatestAmiIdX86'],
  ])('%s gets the image for its processor', (type, image) => {
    const { LaunchTemplateData: data } = propertiesOf(stack({ InstanceType: type }), 'LaunchTemplate') as { LaunchTemplateData: { ImageId: string } };
    expect(data.ImageId).toBe(parameters.find(({ name }) => name === image)?.default);
  });

  test('no family has two processors', () => {
    expect(new Set([...families.x86, ...families.arm]).size).toBe(families.x86.length + families.arm.length);
  });
});

describe('the configuration that an instance gets', () => {
  function textOf(given: Parameters<typeof resourcesOf>[1]): string {
    return /mirror\.yaml" <<'END'\n([^]*?)^END$/m.exec(userDataOf(stack(given)))?.[1] ?? '';
  }

  function configOf(given: Parameters<typeof resourcesOf>[1]): MirrorConfig {
    return buildConfig(new ConfigDocument('mirror.yaml', textOf(given), { DOUBLETAKE_KEY: 'k'.repeat(64) }), []);
  }

  test('says what the parameters say, whatever their patterns let through', () => {
    const like = (wanted: string): fc.Arbitrary<string> =>
      fc.stringMatching(new RegExp(`^(?:${parameters.find(({ name }) => name === wanted)?.pattern})$`));
    fc.assert(
      fc.property(like('RequestsForwardDestination'), like('PercentageByHeader'), (url, header) => {
        const given = { RequestsForwardDestination: url, PercentageBy: 'header', PercentageByHeader: header };
        expect(parse(textOf(given))).toMatchObject({ policy: { sample: { by: 'header', header } }, targets: [{ url, host: 'target' }] });
      }),
    );
  });

  test('the defaults', () => {
    expect(configOf({})).toMatchObject({
      sources: [{ vxlan: { listen: { host: '0.0.0.0', port: 4789 }, vni: [4711], ports: [80] } }],
      policy: { methods: 'safe', sample: { percentage: 100, by: 'request' }, sanitize: { presets: ['auth', 'pii', 'payment'] } },
      targets: [{ name: 'candidate', url: 'http://test.internal:8080/base', host: 'target' }],
      health: { host: '0.0.0.0', port: 8080 },
    });
  });

  test.each<[Record<string, string | number>, object]>([
    [{ TrafficMirroringVNI: 16_777_215, FilterByDestinationPort: 65_535 }, { sources: [{ vxlan: { vni: [16_777_215], ports: [65_535] } }] }],
    [{ ForwardPercentage: 0 }, { policy: { sample: { percentage: 0 } } }],
    [{ ForwardPercentage: 0.5 }, { policy: { sample: { percentage: 0.5 } } }],
    [{ PercentageBy: 'remoteaddr' }, { policy: { sample: { by: 'remote-address' } } }],
    [{ PercentageBy: 'header', PercentageByHeader: 'X-User-Id' }, { policy: { sample: { by: 'header', header: 'X-User-Id' } } }],
    [{ ForwardMethods: 'all' }, { policy: { methods: 'all' } }],
    [{ KeepOriginalHostHeader: 'true' }, { targets: [{ host: 'original' }] }],
    [{ RequestsForwardDestination: 'https://[2001:db8::1]:8443/a_b/%7e~c-d.' }, { targets: [{ url: 'https://[2001:db8::1]:8443/a_b/%7e~c-d.' }] }],
    [{ HealthPort: 65_535 }, { health: { port: 65_535 } }],
    [{ Sanitize: 'false' }, { policy: { methods: 'safe' } }],
  ])('%j', (given, expected) => {
    const config = configOf(given);
    expect(config).toMatchObject(expected);
    if (given['Sanitize'] === 'false') expect(config.policy.sanitize).toBeUndefined();
  });
});

describe('the script of an instance', () => {
  const variants = [{}, everything, { Sanitize: 'false' }];

  test.each(variants)('is taken by bash, and fits: %j', (given) => {
    const script = userDataOf(stack(given));
    execFileSync('bash', ['-n'], { input: script });
    // What EC2 takes, before it is encoded.
    expect(Buffer.byteLength(script)).toBeLessThan(16_384);
  });

  test.for(variants)('shellcheck finds nothing: %j', (given, context) => {
    context.skip(missing('shellcheck') !== null, missing('shellcheck') ?? '');
    execFileSync(findProgram('shellcheck') ?? '', ['--severity=style', '-'], { input: userDataOf(stack(given)), stdio: 'pipe' });
  });
});

describe('what a stack has', () => {
  test('without options: no way in, no topic, no configuration or release of one\'s own', () => {
    const resources = stack();
    expect(Object.keys(resources)).not.toContain('InstanceSecurityGroupSSHIngress');
    expect(propertiesOf(resources, 'LaunchTemplate')).not.toHaveProperty('LaunchTemplateData.KeyName');
    expect(propertiesOf(resources, 'LossAlarm')).not.toHaveProperty('AlarmActions');
    expect(propertiesOf(resources, 'HandlerRole')).not.toHaveProperty('ManagedPolicyArns');
    expect(actionsOf(resources)).toEqual(['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents', 'secretsmanager:GetSecretValue']);
  });

  test('an instance may do what its options need, and nothing to all resources', () => {
    const resources = stack(everything);
    expect(actionsOf(resources)).toEqual([
      'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents', 's3:GetObject', 'secretsmanager:GetSecretValue', 'ssm:GetParameter',
    ]);
    expect(statementsOf(resources).flatMap(({ Resource: resource }) => resource)).toEqual([
      'LogGroup.Arn',
      'SanitizeKey',
      'arn:aws:ssm:eu-central-1:123456789012:parameter/doubletake/mirror.yaml',
      'arn:aws:s3:::releases/doubletake-0.1.0.tgz',
    ]);
  });

  test('packets come from the mirrored network through the load balancer, and from nowhere else', () => {
    const resources = stack();
    expect(propertiesOf(resources, 'LoadBalancerSecurityGroup')['SecurityGroupIngress']).toEqual([
      { Description: 'mirrored packets', IpProtocol: 'udp', FromPort: 4789, ToPort: 4789, CidrIp: '10.1.0.0/16' },
    ]);
    expect(propertiesOf(resources, 'InstanceSecurityGroup')['SecurityGroupIngress']).toMatchObject([
      { IpProtocol: 'udp', FromPort: 4789, ToPort: 4789, SourceSecurityGroupId: 'LoadBalancerSecurityGroup' },
      { IpProtocol: 'tcp', FromPort: 8080, ToPort: 8080, SourceSecurityGroupId: 'LoadBalancerSecurityGroup' },
    ]);
  });

  test('both directions are mirrored, or requests alone', () => {
    const rules = (given: Record<string, string>): unknown[] =>
      Object.values(stack({ FilterBySourceCidrBlock: '10.2.0.0/16', FilterByDestinationCidrBlock: '10.3.0.0/16', ...given }))
        .filter(({ Type: type }) => type === 'AWS::EC2::TrafficMirrorFilterRule')
        .map(({ Properties: properties }) => properties);
    const port = { FromPort: 80, ToPort: 80 };
    const requests = { TrafficDirection: 'ingress', SourceCidrBlock: '10.2.0.0/16', DestinationCidrBlock: '10.3.0.0/16', DestinationPortRange: port };
    const responses = { TrafficDirection: 'egress', SourceCidrBlock: '10.3.0.0/16', DestinationCidrBlock: '10.2.0.0/16', SourcePortRange: port };
    expect(rules({})).toMatchObject([requests, responses]);
    expect(rules({ MirrorResponses: 'false' })).toMatchObject([requests]);
  });

  test('the numbers that metrics are made of stand in a line of progress', () => {
    const line = { level: 30, msg: 'progress', ...progressFields(counted(100, 1, 2), counted(150, 4, 7)) };
    const numbers = logMetrics.map(({ name, path }) => [name, path.split('.').slice(1).reduce<unknown>((value, key) => Reflect.get(Object(value), key), line)]);
    expect(numbers).toEqual([['Captured', 50], ['Lost', 8], ['KernelDrops', 5]]);
    for (const { name, path } of logMetrics) {
      expect(propertiesOf(stack(), `${name}MetricFilter`)).toMatchObject({
        FilterPattern: `{ $.msg = "progress" && ${path} = * }`,
        MetricTransformations: [{ MetricNamespace: 'doubletake/mirror', MetricName: name, MetricValue: path }],
      });
    }
  });

  function counted(captured: number, timeouts: number, kernelDrops: number): LedgerReport {
    const packets = { received: 10 * captured, used: 10 * captured, ignored: {}, malformed: {}, kernelDrops, fragmentsGivenUp: 0 };
    const tally = { captured, outcomes: { replayed: captured - timeouts, failed: { timeout: timeouts } }, inFlight: 0 };
    return { ...tally, packets, gaps: { count: 0, bytes: 0 }, replay: 'running', targets: {} } as unknown as LedgerReport;
  }

  function statementsOf(resources: Record<string, StackResource>): { Action: string | string[]; Resource: string | string[] }[] {
    const { Policies: policies } = propertiesOf(resources, 'HandlerRole') as { Policies: { PolicyDocument: { Statement: { Action: string; Resource: string }[] } }[] };
    return policies.flatMap(({ PolicyDocument: { Statement: statements } }) => statements);
  }

  function actionsOf(resources: Record<string, StackResource>): string[] {
    return statementsOf(resources).flatMap(({ Action: action }) => action).toSorted();
  }
});
