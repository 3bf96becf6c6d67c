/** How mirrored packets reach the instances: load balancer, target group, and who is admitted to what. */

export const networkResources = `  NetworkLoadBalancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Type: network
      Scheme: internal
      Subnets: !Ref HandlerSubnetIds
      SecurityGroups: [!Ref LoadBalancerSecurityGroup]
      LoadBalancerAttributes:
        # A zone without a healthy instance loses nothing; bytes between zones are charged.
        - { Key: load_balancing.cross_zone.enabled, Value: 'true' }

  NLBListener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref NetworkLoadBalancer
      Protocol: UDP
      Port: 4789
      DefaultActions: [{ Type: forward, TargetGroupArn: !Ref NLBTargetGroup }]

  NLBTargetGroup:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      VpcId: !Ref HandlerVpcId
      TargetType: instance
      Protocol: UDP
      Port: 4789
      HealthCheckProtocol: HTTP
      HealthCheckPort: !Ref HealthPort
      HealthCheckPath: /healthz
      HealthCheckIntervalSeconds: 10
      HealthyThresholdCount: 2
      UnhealthyThresholdCount: 2
      Matcher: { HttpCode: '200' }
      TargetGroupAttributes:
        # The two directions of a connection come from one address with two ports. Without stickiness they would reach two
        # instances, and answers would have no requests.
        - { Key: stickiness.enabled, Value: 'true' }
        - { Key: stickiness.type, Value: source_ip }
        # A mirror session is a flow without an end: it has to be cut off from an instance that goes.
        - { Key: deregistration_delay.timeout_seconds, Value: '15' }
        - { Key: deregistration_delay.connection_termination.enabled, Value: 'true' }

  LoadBalancerSecurityGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref HandlerVpcId
      GroupDescription: VXLAN from the mirrored interfaces
      SecurityGroupIngress:
        - { Description: mirrored packets, IpProtocol: udp, FromPort: 4789, ToPort: 4789, CidrIp: !Ref MirrorSourceCidrBlock }

  # The load balancer sends packets and asks for health; nothing else reaches the instances.
  InstanceSecurityGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref HandlerVpcId
      GroupDescription: mirrored packets and health checks, from the load balancer alone
      SecurityGroupIngress:
        - Description: mirrored packets
          IpProtocol: udp
          FromPort: 4789
          ToPort: 4789
          SourceSecurityGroupId: !Ref LoadBalancerSecurityGroup
        - Description: health checks
          IpProtocol: tcp
          FromPort: !Ref HealthPort
          ToPort: !Ref HealthPort
          SourceSecurityGroupId: !Ref LoadBalancerSecurityGroup

  InstanceSecurityGroupSSHIngress:
    Type: AWS::EC2::SecurityGroupIngress
    Condition: HasSsh
    Properties:
      GroupId: !Ref InstanceSecurityGroup
      Description: SSH
      IpProtocol: tcp
      FromPort: 22
      ToPort: 22
      CidrIp: !Ref SSHLocation
`;
