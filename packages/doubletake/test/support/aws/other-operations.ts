/** What the fake's other services do: load balancers, ECS, CloudWatch, SQS. */
import { createHash } from 'node:crypto';
import type { GetMetricDataInput } from '@aws-sdk/client-cloudwatch';
import type { DescribeContainerInstancesRequest, DescribeTasksRequest, ListTasksRequest } from '@aws-sdk/client-ecs';
import type {
  DescribeListenersInput,
  DescribeLoadBalancerAttributesInput,
  DescribeLoadBalancersInput,
  DescribeTargetGroupsInput,
  DescribeTargetHealthInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { DeleteMessageBatchRequest, ReceiveMessageRequest } from '@aws-sdk/client-sqs';
import { AwsFault, type FakeCloud } from './cloud.ts';
import type { FakeService } from './sdk-model.ts';

type Operation = (cloud: FakeCloud, input: never) => object | Promise<object>;

export const otherOperations: Readonly<Partial<Record<FakeService, Record<string, Operation>>>> = {
  elasticloadbalancing: {
    DescribeLoadBalancers: (cloud, { Names = [], LoadBalancerArns = [] }: DescribeLoadBalancersInput) => {
      const found = cloud.loadBalancers.filter(({ LoadBalancerName, LoadBalancerArn }) => Names.includes(LoadBalancerName ?? '') || LoadBalancerArns.includes(LoadBalancerArn ?? ''));
      if (found.length === 0) throw new AwsFault('LoadBalancerNotFound', 'One or more load balancers not found');
      return { LoadBalancers: found };
    },
    DescribeListeners: (cloud, input: DescribeListenersInput) => ({ Listeners: cloud.listeners.filter(({ LoadBalancerArn }) => LoadBalancerArn === input.LoadBalancerArn) }),
    DescribeLoadBalancerAttributes: (cloud, _input: DescribeLoadBalancerAttributesInput) => ({
      Attributes: [{ Key: 'load_balancing.cross_zone.enabled', Value: String(cloud.crossZone) }],
    }),
    DescribeTargetGroups: (cloud, input: DescribeTargetGroupsInput) => ({
      TargetGroups: cloud.targetGroups.filter(({ LoadBalancerArns = [] }) => LoadBalancerArns.includes(input.LoadBalancerArn ?? '')),
    }),
    DescribeTargetHealth: (cloud, input: DescribeTargetHealthInput) => ({ TargetHealthDescriptions: cloud.targetHealth.get(input.TargetGroupArn ?? '') ?? [] }),
  },
  ecs: {
    ListTasks: (cloud, { cluster = 'default', serviceName = '', maxResults = 100, nextToken = '0' }: ListTasksRequest) => {
      const tasks = cloud.tasks.get(`${cluster} ${serviceName}`);
      if (tasks === undefined) throw new AwsFault('ServiceNotFoundException', 'Service not found.');
      const end = Number(nextToken) + maxResults;
      return { taskArns: tasks.slice(Number(nextToken), end).map(({ taskArn }) => taskArn), ...(end < tasks.length ? { nextToken: String(end) } : {}) };
    },
    DescribeTasks: (cloud, { tasks = [] }: DescribeTasksRequest) => {
      if (tasks.length > 100) throw new AwsFault('InvalidParameterException', 'Tasks can have at most 100 items.');
      return { tasks: [...cloud.tasks.values()].flat().filter(({ taskArn }) => tasks.includes(taskArn ?? '')) };
    },
    DescribeContainerInstances: (cloud, { containerInstances = [] }: DescribeContainerInstancesRequest) => ({
      containerInstances: containerInstances.map((arn) => ({ containerInstanceArn: arn, ec2InstanceId: cloud.hosts.get(arn) })),
    }),
  },
  cloudwatch: {
    GetMetricData: (cloud, { MetricDataQueries = [] }: GetMetricDataInput) => {
      if (MetricDataQueries.length > 500) throw new AwsFault('ValidationError', 'The collection MetricDataQueries must not have a size greater than 500.');
      const results = MetricDataQueries.map(({ Id, MetricStat }) => {
        if (!/^[a-z][a-zA-Z0-9_]*$/.test(Id ?? '') || MetricStat?.Metric?.Namespace !== 'AWS/EC2') throw new AwsFault('ValidationError', 'The value for parameter Id is invalid.');
        const { Metric } = MetricStat;
        const value = cloud.metrics.get(`${Metric.Dimensions?.[0]?.Value} ${Metric.MetricName}`);
        return { Id, Label: Metric.MetricName, Timestamps: value === undefined ? [] : [0], Values: value === undefined ? [] : [value], StatusCode: 'Complete' };
      });
      return { MetricDataResults: results };
    },
  },
  sqs: {
    ReceiveMessage: (cloud, input: ReceiveMessageRequest) => receive(cloud, input),
    DeleteMessageBatch: (cloud, { Entries = [] }: DeleteMessageBatchRequest) => {
      const handles = new Set(Entries.map(({ ReceiptHandle }) => ReceiptHandle));
      cloud.messages = cloud.messages.filter(({ ReceiptHandle }) => !handles.has(ReceiptHandle));
      return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] };
    },
  },
};

/** Answers at once where there are messages, else after a moment instead of the seconds that were asked for. */
async function receive(cloud: FakeCloud, { MaxNumberOfMessages = 1 }: ReceiveMessageRequest): Promise<object> {
  for (let tries = 0; tries < 20 && cloud.messages.length === 0; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  const messages = cloud.messages.slice(0, MaxNumberOfMessages).map((message) => ({ ...message, MD5OfBody: createHash('md5').update(message.Body ?? '').digest('hex') }));
  return messages.length === 0 ? {} : { Messages: messages };
}
