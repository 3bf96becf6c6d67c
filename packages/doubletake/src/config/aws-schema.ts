/** Traffic mirroring on AWS in the configuration: what `doubletake aws` makes and keeps true. */
import { z } from 'zod';
import { canonicalCidr } from '../aws-rules/cidr.ts';
import type { PortRange } from '../aws-rules/filter-rules.ts';
import { ranges } from '../aws-rules/limits.ts';
import { durationSchema, textSchema, textual, textualOrNumber, wholeNumber } from './values.ts';

const listMax = 1_000;
const selectorsMax = 100;

/** An id of AWS, such as `i-0123456789abcdef0`. */
function idSchema(prefix: string, what: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), { error: `expected the id of ${what}, such as ${prefix}-0123456789abcdef0` });
}

/** One id, or, since ids are a region's own, one for each region. */
function regionalId(prefix: string, what: string) {
  return z.union([idSchema(prefix, what), z.record(regionSchema, idSchema(prefix, what))]);
}

const regionSchema = z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, { error: 'expected a region such as eu-central-1' });

/** A tag's key and value (Tag naming and usage conventions): at most 128 and 256 characters. */
const tagValueSchema = z.string().max(256, { error: 'expected at most 256 characters' });
const tagsSchema = z
  .record(z.string().min(1).max(128), z.union([tagValueSchema, z.array(tagValueSchema).min(1).max(listMax)]))
  .refine((tags) => Object.keys(tags).length > 0, { error: 'expected at least one tag' })
  .transform((tags) => Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, typeof value === 'string' ? [value] : value])));

const ecsServiceSchema = z.strictObject({
  cluster: textSchema.max(2_048).default('default').describe('Name or ARN of the cluster.'),
  service: textSchema.max(2_048).describe('Name or ARN of the service.'),
});

const selectorSchema = z
  .strictObject({
    tags: tagsSchema
      .optional()
      .describe('Tags that the instance, or the interface itself, all has; of a list of values one suffices, and `*` in a value is anything.'),
    autoScalingGroups: z.array(textSchema.max(255)).min(1).max(listMax).optional().describe('Names of Auto Scaling groups; `*` is anything.'),
    vpcs: z.array(idSchema('vpc', 'a VPC')).min(1).max(listMax).optional().describe('Ids of VPCs.'),
    subnets: z.array(idSchema('subnet', 'a subnet')).min(1).max(listMax).optional().describe('Ids of subnets.'),
    instances: z.array(idSchema('i', 'an instance')).min(1).max(listMax).optional().describe('Ids of instances.'),
    interfaces: z.array(idSchema('eni', 'a network interface')).min(1).max(listMax).optional().describe('Ids of network interfaces.'),
    ecsServices: z
      .array(ecsServiceSchema)
      .min(1)
      .max(100)
      .optional()
      .describe('Services of ECS, by the interfaces of their tasks, or of the instances that these run on.'),
  })
  .refine((selector) => Object.values(selector).some((value) => value !== undefined), {
    error: 'expected at least one of tags, autoScalingGroups, vpcs, subnets, instances, interfaces and ecsServices',
  });

export type Selector = z.output<typeof selectorSchema>;

const portRangeSchema = textualOrNumber('port or range', 'expected a port from 1 to 65535, or a range such as "8000-8010"', (text): PortRange | null => {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  return from >= 1 && from <= to && to <= 65_535 ? { from, to } : null;
});

const networkSchema = textual('network', 'expected a network such as 10.0.0.0/8 or 2001:db8::/32', canonicalCidr);

const everywhere = ['0.0.0.0/0', '::/0'];

const filterSchema = z
  .strictObject({
    mirrorFilter: regionalId('tmf', 'a traffic mirror filter')
      .optional()
      .describe('Use this traffic mirror filter as it is, in place of one of our own; by region, where there are several.'),
    ports: z
      .array(portRangeSchema)
      .max(listMax)
      .optional()
      .describe('Server ports, or ranges such as `"8000-8010"`. Absent, those of the `vxlan` sources; empty is every TCP port.'),
    clients: z.array(networkSchema).min(1).max(100).default(everywhere).describe('Networks of the clients, IPv4 and IPv6.'),
    servers: z.array(networkSchema).min(1).max(100).default(everywhere).describe('Networks of the servers that are mirrored.'),
    responses: z
      .boolean()
      .optional()
      .describe('Mirror also what the servers answer. Absent, they are where something is compared or recorded.'),
    networkServices: z.array(z.enum(['amazon-dns'])).max(1).default([]).describe('Services of the VPC whose traffic is mirrored, too.'),
  })
  .describe('What is mirrored of each interface: TCP, in both directions. Every pair of networks of a family and every range of ports takes a rule in each direction, and a filter has 10.');

const targetKinds = ['mirrorTarget', 'networkLoadBalancer', 'networkInterface', 'gatewayLoadBalancerEndpoint'] as const;

const targetSchema = z
  .strictObject({
    mirrorTarget: regionalId('tmt', 'a traffic mirror target')
      .optional()
      .describe('Use this traffic mirror target as it is, perhaps one that another account shares; by region, where there are several.'),
    networkLoadBalancer: textSchema
      .max(2_048)
      .optional()
      .describe('Name or ARN of the network load balancer before the mirrors. It has a UDP listener on port 4789.'),
    networkInterface: idSchema('eni', 'a network interface').optional().describe('The network interface of one mirror.'),
    gatewayLoadBalancerEndpoint: idSchema('vpce', 'a gateway load balancer endpoint').optional().describe('The endpoint of a gateway load balancer before the mirrors.'),
    vpcs: z
      .array(idSchema('vpc', 'a VPC'))
      .max(listMax)
      .default([])
      .describe('Further VPCs from which packets reach the target, as through a transit gateway. Its own and those peered with it are known.'),
  })
  .refine((target) => targetKinds.filter((kind) => target[kind] !== undefined).length === 1, {
    error: `expected exactly one of ${targetKinds.slice(0, -1).join(', ')} and ${targetKinds.at(-1)}`,
  })
  .describe('Where mirrored packets go. What is named is used as it is; a traffic mirror target for it is made where there is none.');

const sessionSchema = z
  .strictObject({
    number: wholeNumber(ranges.sessionNumber.min, ranges.sessionNumber.max)
      .default(1)
      .describe('Of several sessions on an interface the lowest number is asked first, and a packet goes to but one of them.'),
    vni: wholeNumber(ranges.vni.min, ranges.vni.max)
      .optional()
      .describe('VXLAN network identifier of the mirrored packets. Absent, the first that the `vxlan` sources take, or else 1.'),
    packetLength: wholeNumber(ranges.packetLength.min, ranges.packetLength.max)
      .optional()
      .describe('Bytes of each packet that are mirrored, at most 8500 to a load balancer. Absent, whole packets: what is cut off is missing.'),
  })
  .describe('The traffic mirror session of each interface.');

export const watchSettings = z.strictObject({
  every: durationSchema.prefault('1m').describe('How often AWS is asked what there is; behind a queue, at least so often.'),
  queue: z
    .url({ protocol: /^https?$/, error: 'expected the URL of an SQS queue' })
    .optional()
    .describe('URL of an SQS queue that EventBridge sends changes of instances and tags to, so that they are followed at once.'),
});

/** `aws`, as it is written; `completeAws` makes an `AwsConfig` of it. */
export const awsSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, { error: 'expected a name of at most 64 letters, digits, points, dashes and underscores' })
    .default('doubletake')
    .describe('Everything made has the tag `doubletake:owner` with this value, and nothing else is ever changed. One for each configuration of an account.'),
  region: z
    .union([regionSchema, z.array(regionSchema).min(1).max(50)])
    .optional()
    .describe('One region or several; absent, that of the environment (AWS_REGION, or the profile).'),
  accounts: z
    .array(
      z.strictObject({
        role: z
          .string()
          .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, { error: 'expected the ARN of a role, such as arn:aws:iam::123456789012:role/doubletake' })
          .describe('Role in that account, which is assumed.'),
        externalId: textSchema.max(1_224).optional().describe('What the role\'s trust policy wants as its external id.'),
      }),
    )
    .max(100)
    .default([])
    .describe('The accounts whose instances are mirrored, each by a role; absent, that of the credentials themselves.'),
  sources: z
    .array(selectorSchema)
    .min(1)
    .max(selectorsMax)
    .describe('Whose interfaces are mirrored: those for which everything that one of these entries says is true.'),
  exclude: z.array(selectorSchema).max(selectorsMax).default([]).describe('Whose are not, all the same.'),
  interfaces: z
    .enum(['all', 'primary'])
    .default('all')
    .describe('All interfaces of an instance (pods of EKS are behind further ones), or the first alone. Each costs a session.'),
  instanceTypes: z
    .enum(['listed', 'any'])
    .default('listed')
    .describe('Mirror the instance families that AWS lists, or try any: those it cannot mirror it refuses.'),
  filter: filterSchema.prefault({}),
  target: targetSchema,
  session: sessionSchema.prefault({}),
  watch: z
    .union([z.boolean(), watchSettings])
    .default(false)
    .describe('A running mirror keeps the sessions true itself, as `doubletake aws apply --watch` does.'),
});
