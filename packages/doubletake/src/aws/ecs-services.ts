/** The interfaces behind services of ECS: of their tasks, where these have a network of their own (awsvpc), else of the instances they run on. */
import type { Scope } from './clients.ts';
import { type EcsService, ecsServiceKey } from './inventory.ts';
import { allPages, partsOf } from './pages.ts';

interface ServiceName {
  cluster: string;
  service: string;
}

/** The most that ECS takes at once, for every one of its calls here. */
const ecsPageSize = 100;

export async function readEcsServices(services: readonly ServiceName[], scope: Scope): Promise<Map<string, EcsService>> {
  const distinct = new Map(services.map((service) => [ecsServiceKey(service), service]));
  const found = await Promise.all([...distinct].map(async ([key, service]) => [key, await readService(service, scope)] as const));
  return new Map(found);
}

async function readService({ cluster, service }: ServiceName, scope: Scope): Promise<EcsService> {
  const taskArns = await allPages(
    async ({ NextToken }) => {
      const { taskArns: arns, nextToken } = await scope.call('ecs', 'ListTasks', (ecs, options) =>
        ecs.listTasks({ cluster, serviceName: service, maxResults: ecsPageSize, ...(NextToken === undefined ? {} : { nextToken: NextToken }) }, options),
      );
      return { arns, NextToken: nextToken };
    },
    ({ arns }) => arns,
  );
  const interfaces = new Set<string>();
  const hosts = new Set<string>();
  for (const tasks of partsOf(taskArns, ecsPageSize)) {
    const described = await scope.call('ecs', 'DescribeTasks', (ecs, options) => ecs.describeTasks({ cluster, tasks }, options));
    for (const task of described.tasks ?? []) {
      const own = (task.attachments ?? []).flatMap(({ details = [] }) => details.flatMap(({ name, value }) => (name === 'networkInterfaceId' ? [value ?? ''] : [])));
      for (const link of own) interfaces.add(link);
      if (own.length === 0 && task.containerInstanceArn !== undefined) hosts.add(task.containerInstanceArn);
    }
  }
  const instances = new Set<string>();
  for (const containerInstances of partsOf([...hosts], ecsPageSize)) {
    const described = await scope.call('ecs', 'DescribeContainerInstances', (ecs, options) =>
      ecs.describeContainerInstances({ cluster, containerInstances }, options),
    );
    for (const { ec2InstanceId } of described.containerInstances ?? []) if (ec2InstanceId !== undefined) instances.add(ec2InstanceId);
  }
  return { interfaces, instances };
}
