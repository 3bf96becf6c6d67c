/** One step of a plan as the call that does it. */
import type { EC2, TagSpecification } from '@aws-sdk/client-ec2';
import type { FilterRule, PortRange } from '../aws-rules/filter-rules.ts';
import { tagsOf } from '../aws-rules/ownership.ts';
import { clientToken } from './client-token.ts';
import type { SessionChanges, Step } from './step.ts';

/** What the steps before have made; null where they have made none. */
export interface Made {
  filter: string | null;
  target: string | null;
}

export interface StepContext {
  /** Whose it is. */
  name: string;
  account: string;
  region: string;
  made: Made;
  /** See `clientToken`. */
  generation: number;
}

interface CallOptions {
  abortSignal: AbortSignal;
}

/** Resolves with the id of what was made; rejects with the SDK's error. */
export async function doStep(step: Step, context: StepContext, ec2: EC2, options: CallOptions): Promise<string | null> {
  const { name, made } = context;
  const { reason: _, ...content } = step;
  const ClientToken = clientToken([name, context.account, context.region, content, made], context.generation);
  const filter = (id: string | null): string => id ?? made.filter ?? '';
  const target = (id: string | null): string => id ?? made.target ?? '';
  switch (step.action) {
    case 'create-filter': {
      const answer = await ec2.createTrafficMirrorFilter({ Description: `doubletake ${name}`, TagSpecifications: tagged(name, 'traffic-mirror-filter'), ClientToken }, options);
      return answer.TrafficMirrorFilter?.TrafficMirrorFilterId ?? null;
    }
    case 'create-rule': {
      const answer = await ec2.createTrafficMirrorFilterRule(
        { TrafficMirrorFilterId: filter(step.filter), ...ruleFields(step.rule), TagSpecifications: tagged(name, 'traffic-mirror-filter-rule'), ClientToken },
        options,
      );
      return answer.TrafficMirrorFilterRule?.TrafficMirrorFilterRuleId ?? null;
    }
    case 'modify-rule':
      await ec2.modifyTrafficMirrorFilterRule({ TrafficMirrorFilterRuleId: step.id, ...ruleFields(step.rule), RemoveFields: absentFields(step.rule) }, options);
      return null;
    case 'delete-rule':
      await ec2.deleteTrafficMirrorFilterRule({ TrafficMirrorFilterRuleId: step.id }, options);
      return null;
    case 'modify-network-services':
      await ec2.modifyTrafficMirrorFilterNetworkServices(
        { TrafficMirrorFilterId: filter(step.filter), AddNetworkServices: services(step.add), RemoveNetworkServices: services(step.remove) },
        options,
      );
      return null;
    case 'create-target': {
      const answer = await ec2.createTrafficMirrorTarget(
        { ...resourceField(step), Description: `doubletake ${name}`, TagSpecifications: tagged(name, 'traffic-mirror-target'), ClientToken },
        options,
      );
      return answer.TrafficMirrorTarget?.TrafficMirrorTargetId ?? null;
    }
    case 'create-session': {
      const answer = await ec2.createTrafficMirrorSession(
        {
          NetworkInterfaceId: step.interface,
          TrafficMirrorFilterId: filter(step.filter),
          TrafficMirrorTargetId: target(step.target),
          SessionNumber: step.number,
          VirtualNetworkId: step.vni,
          ...(step.packetLength === null ? {} : { PacketLength: step.packetLength }),
          Description: step.description,
          TagSpecifications: tagged(name, 'traffic-mirror-session'),
          ClientToken,
        },
        options,
      );
      return answer.TrafficMirrorSession?.TrafficMirrorSessionId ?? null;
    }
    case 'modify-session':
      await ec2.modifyTrafficMirrorSession({ TrafficMirrorSessionId: step.id, ...sessionFields(step.changes, filter, target) }, options);
      return null;
    case 'delete-session':
      await ec2.deleteTrafficMirrorSession({ TrafficMirrorSessionId: step.id }, options);
      return null;
    case 'delete-target':
      await ec2.deleteTrafficMirrorTarget({ TrafficMirrorTargetId: step.id }, options);
      return null;
    case 'delete-filter':
      await ec2.deleteTrafficMirrorFilter({ TrafficMirrorFilterId: step.id }, options);
      return null;
  }
}

function tagged(name: string, type: 'traffic-mirror-filter' | 'traffic-mirror-filter-rule' | 'traffic-mirror-session' | 'traffic-mirror-target'): TagSpecification[] {
  return [{ ResourceType: type, Tags: Object.entries(tagsOf(name)).map(([Key, Value]) => ({ Key, Value })) }];
}

function ruleFields({ direction, number, protocol, sourceCidr, destinationCidr, sourcePorts, destinationPorts }: FilterRule) {
  return {
    TrafficDirection: direction,
    RuleNumber: number,
    RuleAction: 'accept' as const,
    Protocol: protocol,
    SourceCidrBlock: sourceCidr,
    DestinationCidrBlock: destinationCidr,
    ...(sourcePorts === null ? {} : { SourcePortRange: portFields(sourcePorts) }),
    ...(destinationPorts === null ? {} : { DestinationPortRange: portFields(destinationPorts) }),
  };
}

function portFields({ from, to }: PortRange): { FromPort: number; ToPort: number } {
  return { FromPort: from, ToPort: to };
}

/** What the rule may have had before, and has no more. */
function absentFields({ sourcePorts, destinationPorts }: FilterRule): ('source-port-range' | 'destination-port-range')[] {
  return [...(sourcePorts === null ? ['source-port-range' as const] : []), ...(destinationPorts === null ? ['destination-port-range' as const] : [])];
}

function services(names: readonly string[]): 'amazon-dns'[] {
  return names.filter((name) => name === 'amazon-dns');
}

function resourceField({ kind, resource }: Extract<Step, { action: 'create-target' }>) {
  switch (kind) {
    case 'network-load-balancer':
      return { NetworkLoadBalancerArn: resource };
    case 'network-interface':
      return { NetworkInterfaceId: resource };
    case 'gateway-load-balancer-endpoint':
      return { GatewayLoadBalancerEndpointId: resource };
  }
}

function sessionFields({ filter, target, number, vni, packetLength }: SessionChanges, filterId: (id: string | null) => string, targetId: (id: string | null) => string) {
  return {
    ...(filter === undefined ? {} : { TrafficMirrorFilterId: filterId(filter) }),
    ...(target === undefined ? {} : { TrafficMirrorTargetId: targetId(target) }),
    ...(number === undefined ? {} : { SessionNumber: number }),
    ...(vni === undefined ? {} : { VirtualNetworkId: vni }),
    ...(packetLength === null ? { RemoveFields: ['packet-length' as const] } : packetLength === undefined ? {} : { PacketLength: packetLength }),
  };
}
