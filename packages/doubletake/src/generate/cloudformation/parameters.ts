/**
 * What the stack can be told. The names of the first groups are those of AWS's published replay handler, so that its users
 * find them again. Values end up in a script and in YAML between quotes: the patterns leave out whatever could end them.
 */

export interface StackParameter {
  name: string;
  type: string;
  /** What it is for, in one or two sentences. */
  description: string;
  /** Absent: it has to be given. */
  default?: string | number;
  values?: readonly string[];
  /** The whole value matches this (Java's and RE2's syntax alike). */
  pattern?: string;
  /** What the pattern means, in words. */
  constraint?: string;
  min?: number;
  max?: number;
}

export interface ParameterGroup {
  label: string;
  parameters: readonly StackParameter[];
}

const text = 'String';
const number = 'Number';
const switchValues = ['true', 'false'] as const;
const network = '(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2})';
const networkWords = 'must be an IPv4 network such as 10.0.0.0/16';
const latestImage = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-';

/**
 * Instance families by processor. A template cannot look the processor of an instance type up, and the image depends on it.
 * As of November 2026.
 */
export const families = {
  x86: 't3 t3a m5 m5a m5n m6i m6a m6in m7i m7a c5 c5a c5n c6i c6a c6in c7i c7a r5 r5a r5n r6i r6a r6in r7i r7a'.split(' '),
  arm: 't4g m6g m7g m8g c6g c6gn c7g c7gn c8g r6g r7g r8g'.split(' '),
} as const;

/** The parameters, in groups as the console shows them. `release` is the version that is installed when nothing else is said. */
export function parameterGroups(release: string): ParameterGroup[] {
  return [
    {
      label: 'Where it runs',
      parameters: [
        { name: 'HandlerVpcId', type: 'AWS::EC2::VPC::Id', description: 'VPC of the replay handler.' },
        {
          name: 'HandlerSubnetIds',
          type: 'List<AWS::EC2::Subnet::Id>',
          description:
            'Subnets of the replay handler, in two zones or more. They need a way to the test environment, from the mirrored ' +
            'instances, and to the package registry when an instance starts (a NAT gateway, or a registry of your own).',
        },
        {
          name: 'MirrorSourceCidrBlock',
          type: text,
          description: 'Network of the mirrored interfaces: what is admitted on UDP 4789. For example the CIDR block of their VPC.',
          pattern: network,
          constraint: networkWords,
        },
        {
          name: 'InstanceType',
          type: text,
          default: 't4g.small',
          description: 'Type of the instances. Each of its processors serves about 20,000 requests/s.',
          pattern: `(${[...families.x86, ...families.arm].join('|')})\\.[a-z0-9-]+`,
          constraint: 'must be a type of one of the families t, m, c or r that the template knows',
        },
        { name: 'InstanceNumber', type: number, default: 2, min: 1, max: 100, description: 'Instances at least.' },
        {
          name: 'InstanceNumberMax',
          type: number,
          default: 4,
          min: 2,
          max: 100,
          description: 'Instances at most, also while a new version takes the place of the old one: at least InstanceNumber, and better one more.',
        },
        {
          name: 'KeyName',
          type: text,
          default: '',
          description: 'Optional: the EC2 key pair for SSH.',
          pattern: '[ -~]{0,255}',
          constraint: 'must be the name of an existing key pair, or empty',
        },
        {
          name: 'SSHLocation',
          type: text,
          default: '',
          description: 'Optional: the network from which SSH is admitted.',
          pattern: `(${network})?`,
          constraint: `${networkWords}, or empty`,
        },
        {
          name: 'SessionManager',
          type: text,
          default: 'false',
          values: switchValues,
          description: 'Let people with the right to it open a shell through Systems Manager, without SSH.',
        },
      ],
    },
    {
      label: 'What is mirrored',
      parameters: [
        {
          name: 'TrafficMirroringVNI',
          type: number,
          min: 1,
          max: 16_777_215,
          description: 'VXLAN network identifier of the mirror sessions. Packets with another one are not taken.',
        },
        { name: 'FilterByDestinationPort', type: number, default: 80, min: 1, max: 65_535, description: 'Port of the mirrored servers.' },
        {
          name: 'FilterBySourceCidrBlock',
          type: text,
          default: '0.0.0.0/0',
          description: 'Network of the clients whose requests are mirrored.',
          pattern: network,
          constraint: networkWords,
        },
        {
          name: 'FilterByDestinationCidrBlock',
          type: text,
          default: '0.0.0.0/0',
          description: 'Network of the servers to which the requests go.',
          pattern: network,
          constraint: networkWords,
        },
        {
          name: 'MirrorResponses',
          type: text,
          default: 'true',
          values: switchValues,
          description: 'Mirror what production answers too. Without it answers cannot be compared, and half the bytes are mirrored.',
        },
      ],
    },
    {
      label: 'What is replayed, and where to',
      parameters: [
        {
          name: 'RequestsForwardDestination',
          type: text,
          description: 'URL of the test environment, such as http://test.internal or https://10.1.2.3:8443.',
          pattern: 'https?://[A-Za-z0-9.:\\[\\]_-]+(/[A-Za-z0-9._~%/-]*)?',
          constraint: 'must be a URL with http:// or https://, a host and perhaps a port and a path',
        },
        { name: 'ForwardPercentage', type: number, default: 100, min: 0, max: 100, description: 'Share of the requests that is replayed, in percent.' },
        {
          name: 'PercentageBy',
          type: text,
          default: '',
          values: ['', 'header', 'remoteaddr'],
          description: 'What is in the share as a whole: each request (empty), all requests with the same value of a header, or all of one client.',
        },
        {
          name: 'PercentageByHeader',
          type: text,
          default: '',
          description: 'The header, where PercentageBy is header.',
          pattern: '[A-Za-z0-9_-]*',
          constraint: 'must be the name of a header',
        },
        {
          name: 'ForwardMethods',
          type: text,
          default: 'safe',
          values: ['safe', 'all'],
          description: 'safe replays GET, HEAD and OPTIONS alone. all also replays what changes data.',
        },
        {
          name: 'KeepOriginalHostHeader',
          type: text,
          default: 'false',
          values: switchValues,
          description: 'Send the Host header that production saw, instead of the test environment\'s own.',
        },
        {
          name: 'Sanitize',
          type: text,
          default: 'true',
          values: switchValues,
          description: 'Replace credentials, personal and payment data by pseudonyms before a request leaves the instance. Their key is made by the stack.',
        },
        {
          name: 'ConfigurationParameter',
          type: text,
          default: '',
          description:
            'Optional: the name of a Systems Manager parameter that holds a whole configuration file, which then takes the place of what ' +
            'this and the group above say. It has to listen on 4789, and for health on HealthPort.',
          pattern: '(/[A-Za-z0-9_.-]+)*',
          constraint: 'must be a name that begins with a slash, or empty',
        },
      ],
    },
    {
      label: 'What tells how it does',
      parameters: [
        { name: 'HealthPort', type: number, default: 8080, min: 1024, max: 65_535, description: 'Port of the health check.' },
        {
          name: 'LossAlarmPercent',
          type: number,
          default: 1,
          min: 0,
          max: 100,
          description: 'Alarm when more than this percentage of the captured requests is lost: dropped, failed or incomplete.',
        },
        {
          name: 'AlarmTopicArn',
          type: text,
          default: '',
          description: 'Optional: the SNS topic that the alarms notify.',
          pattern: '(arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+)?',
          constraint: 'must be the ARN of an SNS topic, or empty',
        },
        {
          name: 'LogRetentionDays',
          type: number,
          default: 30,
          values: ['1', '3', '5', '7', '14', '30', '60', '90', '180', '365'],
          description: 'How long logs are kept.',
        },
      ],
    },
    {
      label: 'What is installed',
      parameters: [
        {
          name: 'Release',
          type: text,
          default: release,
          description: 'Version of the npm package.',
          pattern: '[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?',
          constraint: 'must be a version such as 1.2.3',
        },
        {
          name: 'ReleaseObject',
          type: text,
          default: '',
          description: 'Optional: BUCKET/KEY in S3 of the packed package (npm pack), which is then installed instead of the registry\'s.',
          pattern: '([a-z0-9.-]{3,63}/[A-Za-z0-9._/+-]+)?',
          constraint: 'must be BUCKET/KEY, or empty',
        },
        {
          name: 'ReleaseSha256',
          type: text,
          default: '',
          description: 'Optional: the SHA-256 of the package. One with another is not installed.',
          pattern: '([0-9a-f]{64})?',
          constraint: 'must be 64 hexadecimal digits, or empty',
        },
        {
          name: 'NpmRegistry',
          type: text,
          default: 'https://registry.npmjs.org/',
          description: 'Registry of the package and of what it depends on.',
          pattern: 'https://[A-Za-z0-9._~:/@-]+',
          constraint: 'must be a URL with https://',
        },
        {
          name: 'LatestAmiIdX86',
          type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
          default: `${latestImage}x86_64`,
          description: 'Leave it: the newest Amazon Linux 2023 for x86. A stack update takes a newer one over.',
        },
        {
          name: 'LatestAmiIdArm',
          type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
          default: `${latestImage}arm64`,
          description: 'Leave it: the newest Amazon Linux 2023 for ARM. A stack update takes a newer one over.',
        },
      ],
    },
  ];
}

/** The sections Parameters and Metadata of the template. */
export function parametersSection(groups: readonly ParameterGroup[]): string {
  const entries = groups.flatMap(({ parameters }) => parameters.map(parameterText));
  const labels = groups.map(
    ({ label, parameters }) =>
      `      - Label: { default: ${quoted(label)} }\n        Parameters: [${parameters.map(({ name }) => name).join(', ')}]\n`,
  );
  return `Parameters:\n${entries.join('')}
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
${labels.join('')}`;
}

function parameterText({ name, type, description, default: preset, values, pattern, constraint, min, max }: StackParameter): string {
  const lines = [
    `  ${name}:`,
    `    Type: ${type}`,
    `    Description: ${quoted(description)}`,
    ...(preset === undefined ? [] : [`    Default: ${typeof preset === 'number' ? preset : quoted(preset)}`]),
    ...(values === undefined ? [] : [`    AllowedValues: [${values.map((value) => (type === number ? value : quoted(value))).join(', ')}]`]),
    ...(pattern === undefined ? [] : [`    AllowedPattern: ${quoted(pattern)}`]),
    ...(constraint === undefined ? [] : [`    ConstraintDescription: ${quoted(constraint)}`]),
    ...(min === undefined ? [] : [`    MinValue: ${min}`]),
    ...(max === undefined ? [] : [`    MaxValue: ${max}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
