/** What the credentials have to be allowed, as policies of IAM (Service Authorization Reference, "Actions for Amazon EC2" and others). */
import { ownerTag } from '../aws-rules/ownership.ts';

export interface PolicyStatement {
  Effect: 'Allow';
  Action: string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string>>;
}

export interface Policy {
  Version: '2012-10-17';
  Statement: PolicyStatement[];
}

/** To look: `plan`, `status`. */
const readActions = [
  'ec2:DescribeInstances',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeTrafficMirrorFilters',
  'ec2:DescribeTrafficMirrorSessions',
  'ec2:DescribeTrafficMirrorTargets',
  'ec2:DescribeVpcEndpoints',
  'ec2:DescribeVpcPeeringConnections',
  'elasticloadbalancing:DescribeListeners',
  'elasticloadbalancing:DescribeLoadBalancerAttributes',
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeTargetGroups',
  'elasticloadbalancing:DescribeTargetHealth',
  'ecs:DescribeContainerInstances',
  'ecs:DescribeTasks',
  'ecs:ListTasks',
  'cloudwatch:GetMetricData',
];

const createActions = [
  'ec2:CreateTrafficMirrorFilter',
  'ec2:CreateTrafficMirrorFilterRule',
  'ec2:CreateTrafficMirrorSession',
  'ec2:CreateTrafficMirrorTarget',
];

/** Of what has our tag. */
const changeActions = [
  'ec2:DeleteTrafficMirrorFilter',
  'ec2:DeleteTrafficMirrorFilterRule',
  'ec2:DeleteTrafficMirrorSession',
  'ec2:DeleteTrafficMirrorTarget',
  'ec2:ModifyTrafficMirrorFilterNetworkServices',
  'ec2:ModifyTrafficMirrorFilterRule',
  'ec2:ModifyTrafficMirrorSession',
];

const queueActions = ['sqs:DeleteMessage', 'sqs:ReceiveMessage'];

/** What is made, and has tags. */
function made(partition: string, kinds: readonly string[] = ['filter', 'filter-rule', 'session', 'target']): string[] {
  return kinds.map((kind) => `arn:${partition}:ec2:*:*:traffic-mirror-${kind}/*`);
}

/** The first part of every ARN in a region; that of most of them where it is not known. */
export function partitionOf(region: string | undefined): string {
  if (region?.startsWith('cn-') === true) return 'aws-cn';
  return region?.startsWith('us-gov-') === true ? 'aws-us-gov' : 'aws';
}

export interface PolicyScope {
  /** `aws.name`. */
  name: string;
  partition: string;
  /** That of the queue of events; null where there is none. */
  queueArn: string | null;
  /** Those of other accounts, which need the same policy. */
  roles: readonly string[];
}

/** All that `doubletake aws` ever does, and no more: it makes, with its tag; it changes what has its tag; and it reads. */
export function wholePolicy({ name, partition, queueArn, roles }: PolicyScope): Policy {
  const ours = { StringEquals: { [`aws:ResourceTag/${ownerTag}`]: name } };
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: readActions, Resource: '*' },
      { Effect: 'Allow', Action: createActions, Resource: '*' },
      {
        Effect: 'Allow',
        Action: ['ec2:CreateTags'],
        Resource: made(partition),
        Condition: { StringLike: { 'ec2:CreateAction': 'CreateTrafficMirror*' } },
      },
      { Effect: 'Allow', Action: changeActions, Resource: made(partition), Condition: ours },
      // A session may be given a filter or a target that somebody else made.
      { Effect: 'Allow', Action: ['ec2:ModifyTrafficMirrorSession'], Resource: made(partition, ['filter', 'target']) },
      ...(roles.length === 0 ? [] : [{ Effect: 'Allow' as const, Action: ['sts:AssumeRole'], Resource: [...roles] }]),
      ...(queueArn === null ? [] : [{ Effect: 'Allow' as const, Action: queueActions, Resource: queueArn }]),
    ],
  };
}

/** What allows just these actions, such as `ec2:DescribeInstances`. */
export function policyFor(actions: readonly string[]): Policy {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: [...actions], Resource: '*' }] };
}
