/** Whether mirrored packets find somebody behind the target: AWS sends them on in silence where nobody listens. */
import { vxlanPort } from '../aws-rules/limits.ts';
import { DoubletakeError } from '../errors.ts';
import type { Scope } from './clients.ts';
import type { Destination, TargetHealth } from './inventory.ts';

const unseen: TargetHealth = { healthy: null, all: null, mirrors: new Set(), findings: [] };

/** Rejects with a `DoubletakeError`; what the credentials may not see is a finding. */
export async function readTargetHealth(destination: Destination, scope: Scope): Promise<TargetHealth> {
  const { kind, resource, vpc } = destination;
  if (kind !== 'network-load-balancer' || vpc === null) return unseen;
  try {
    return await balancerHealth(resource, scope);
  } catch (error) {
    if (!(error instanceof DoubletakeError) || error.code !== 'DT_AWS_PERMISSION') throw error;
    return { ...unseen, findings: [`whether the load balancer leads to a mirror is not known: ${error.message}`] };
  }
}

async function balancerHealth(LoadBalancerArn: string, scope: Scope): Promise<TargetHealth> {
  const elb = 'elasticloadbalancing';
  const [{ Listeners = [] }, { TargetGroups = [] }, { Attributes = [] }] = await Promise.all([
    scope.call(elb, 'DescribeListeners', (client, options) => client.describeListeners({ LoadBalancerArn }, options)),
    scope.call(elb, 'DescribeTargetGroups', (client, options) => client.describeTargetGroups({ LoadBalancerArn }, options)),
    scope.call(elb, 'DescribeLoadBalancerAttributes', (client, options) => client.describeLoadBalancerAttributes({ LoadBalancerArn }, options)),
  ]);
  const findings: string[] = [];
  const listens = Listeners.some(({ Port, Protocol }) => Port === vxlanPort && (Protocol === 'UDP' || Protocol === 'TCP_UDP'));
  if (!listens) findings.push(`the load balancer has no UDP listener on port ${vxlanPort}: all that is mirrored is lost, and nothing says so`);
  const groups = TargetGroups.filter(({ Protocol }) => Protocol === 'UDP' || Protocol === 'TCP_UDP');
  const states = await Promise.all(
    groups.map(async ({ TargetGroupArn }) => {
      const { TargetHealthDescriptions = [] } = await scope.call(elb, 'DescribeTargetHealth', (client, options) => client.describeTargetHealth({ TargetGroupArn }, options));
      return TargetHealthDescriptions;
    }),
  );
  const all = states.flat();
  const healthy = all.filter(({ TargetHealth: health }) => health?.State === 'healthy').length;
  const reason = all.find(({ TargetHealth: health }) => health?.State !== 'healthy')?.TargetHealth?.Description;
  const why = reason === undefined ? '' : `: ${reason}`;
  if (all.length === 0) findings.push('the load balancer has no mirror behind it');
  else if (healthy === 0) findings.push(`none of the ${all.length} mirrors behind the load balancer is healthy${why}`);
  else if (healthy < all.length) findings.push(`${all.length - healthy} of the ${all.length} mirrors behind the load balancer are not healthy${why}`);
  const crossZone = Attributes.find(({ Key }) => Key === 'load_balancing.cross_zone.enabled')?.Value;
  if (crossZone === 'false') findings.push('the load balancer does not send across zones: sources in a zone without a healthy mirror lose everything');
  return { healthy, all: all.length, mirrors: new Set(all.flatMap(({ Target: target }) => target?.Id ?? [])), findings };
}
