/**
 * What the sessions refer to: the target and the filter. The sessions themselves belong to the mirrored interfaces, which come
 * and go, and not to this stack.
 */

export const mirrorResources = `  TrafficMirrorTarget:
    Type: AWS::EC2::TrafficMirrorTarget
    DependsOn: NLBListener
    Properties:
      Description: !Sub 'doubletake \${AWS::StackName}'
      NetworkLoadBalancerArn: !Ref NetworkLoadBalancer

  TrafficMirrorFilter:
    Type: AWS::EC2::TrafficMirrorFilter
    Properties:
      Description: !Sub 'doubletake \${AWS::StackName}: requests and answers of port \${FilterByDestinationPort}'

  TrafficMirrorFilterRule:
    Type: AWS::EC2::TrafficMirrorFilterRule
    Properties:
      TrafficMirrorFilterId: !Ref TrafficMirrorFilter
      TrafficDirection: ingress
      RuleNumber: 100
      RuleAction: accept
      # TCP
      Protocol: 6
      SourceCidrBlock: !Ref FilterBySourceCidrBlock
      DestinationCidrBlock: !Ref FilterByDestinationCidrBlock
      DestinationPortRange: { FromPort: !Ref FilterByDestinationPort, ToPort: !Ref FilterByDestinationPort }

  TrafficMirrorFilterRuleResponses:
    Type: AWS::EC2::TrafficMirrorFilterRule
    Condition: MirrorsResponses
    Properties:
      TrafficMirrorFilterId: !Ref TrafficMirrorFilter
      TrafficDirection: egress
      RuleNumber: 100
      RuleAction: accept
      Protocol: 6
      SourceCidrBlock: !Ref FilterByDestinationCidrBlock
      DestinationCidrBlock: !Ref FilterBySourceCidrBlock
      SourcePortRange: { FromPort: !Ref FilterByDestinationPort, ToPort: !Ref FilterByDestinationPort }
`;
