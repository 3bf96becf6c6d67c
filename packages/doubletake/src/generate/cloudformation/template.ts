/**
 * CloudFormation: the replay handler behind a network load balancer that is a traffic mirror target. The same text every time;
 * what differs between stacks are the parameters.
 */
import { alarmResources } from './alarms.ts';
import { fleetResources } from './fleet.ts';
import { mirrorResources } from './mirror.ts';
import { networkResources } from './network.ts';
import { families, parameterGroups, parametersSection } from './parameters.ts';

/** The template in YAML. `release` is the version of the package that it installs when nothing else is said. */
export function cloudFormationTemplate(release: string): string {
  const family = "!Select [0, !Split ['.', !Ref InstanceType]]";
  const isArm = families.arm.map((name) => `!Equals [${family}, ${name}]`);
  return `AWSTemplateFormatVersion: '2010-09-09'
Description: doubletake takes mirrored traffic (VXLAN) and replays its requests to a test environment.
# Made by: doubletake generate cloudformation. What it gives, and how to use it, stands in docs/deploying.md.

${parametersSection(parameterGroups(release))}
Rules:
  HeaderIsNamed:
    RuleCondition: !Equals [!Ref PercentageBy, header]
    Assertions:
      - Assert: !Not [!Equals [!Ref PercentageByHeader, '']]
        AssertDescription: PercentageBy is header, so PercentageByHeader has to name it.

Conditions:
  # At most ten conditions go into one !Or.
  UsesArm: !Or
${inTens(isArm).map((some) => `    - !Or\n${some.map((each) => `      - ${each}\n`).join('')}`).join('')}  HasKey: !Not [!Equals [!Ref KeyName, '']]
  HasSsh: !Not [!Equals [!Ref SSHLocation, '']]
  UsesSessionManager: !Equals [!Ref SessionManager, 'true']
  MirrorsResponses: !Equals [!Ref MirrorResponses, 'true']
  SamplesByHeader: !Equals [!Ref PercentageBy, header]
  SamplesByClient: !Equals [!Ref PercentageBy, remoteaddr]
  KeepsHost: !Equals [!Ref KeepOriginalHostHeader, 'true']
  Sanitizes: !Equals [!Ref Sanitize, 'true']
  HasOwnConfiguration: !Not [!Equals [!Ref ConfigurationParameter, '']]
  HasReleaseObject: !Not [!Equals [!Ref ReleaseObject, '']]
  HasAlarmTopic: !Not [!Equals [!Ref AlarmTopicArn, '']]

Resources:
${[networkResources, mirrorResources, fleetResources, alarmResources].join('\n')}
Outputs:
  TrafficMirrorTarget:
    Description: The traffic mirror target, for the sessions.
    Value: !Ref TrafficMirrorTarget
  TrafficMirrorFilter:
    Description: The traffic mirror filter, for the sessions.
    Value: !Ref TrafficMirrorFilter
  TrafficMirroringVNI:
    Description: The VXLAN network identifier that the sessions need.
    Value: !Ref TrafficMirroringVNI
  LogGroup:
    Description: Where the logs are.
    Value: !Ref LogGroup
`;
}

function inTens<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / 10) }, (_, index) => all.slice(10 * index, 10 * index + 10));
}
