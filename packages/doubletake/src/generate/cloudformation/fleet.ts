/** The instances: what they may do, how they start, and how many there are. */
import { instanceWords } from './instance-config.ts';
import { userData } from './user-data.ts';

/** `text` with so many blanks before each line that is not empty. */
function indented(text: string, blanks: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(blanks));
}

/** A policy of one statement that is there under a condition. */
function optionalPolicy(condition: string, name: string, action: string, resource: string): string {
  return `        - !If
          - ${condition}
          - PolicyName: ${name}
            PolicyDocument:
              Version: '2012-10-17'
              Statement: [{ Effect: Allow, Action: ${action}, Resource: ${resource} }]
          - !Ref AWS::NoValue
`;
}

export const fleetResources = `  HandlerRole:
    Type: AWS::IAM::Role
    Properties:
      Description: What the instances of the replay handler may do
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: sts:AssumeRole }]
      ManagedPolicyArns: !If
        - UsesSessionManager
        - [!Sub 'arn:\${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore']
        - !Ref AWS::NoValue
      Policies:
        - PolicyName: ship-logs
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              # The attribute ends with :*, and so holds for the streams.
              - { Effect: Allow, Action: [logs:CreateLogStream, logs:DescribeLogStreams, logs:PutLogEvents], Resource: !GetAtt LogGroup.Arn }
${optionalPolicy('Sanitizes', 'read-sanitize-key', 'secretsmanager:GetSecretValue', '!Ref SanitizeKey')}${optionalPolicy('HasOwnConfiguration', 'read-configuration', 'ssm:GetParameter', "!Sub 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${ConfigurationParameter}'")}${optionalPolicy('HasReleaseObject', 'read-release', 's3:GetObject', "!Sub 'arn:${AWS::Partition}:s3:::${ReleaseObject}'")}
  HandlerInstanceProfile:
    Type: AWS::IAM::InstanceProfile
    Properties:
      Roles: [!Ref HandlerRole]

  # The same on every instance, so that one person has one pseudonym.
  SanitizeKey:
    Type: AWS::SecretsManager::Secret
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Condition: Sanitizes
    Properties:
      Description: !Sub 'Key of the pseudonyms of doubletake \${AWS::StackName}'
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true }

  LaunchTemplate:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: !If [UsesArm, !Ref LatestAmiIdArm, !Ref LatestAmiIdX86]
        InstanceType: !Ref InstanceType
        KeyName: !If [HasKey, !Ref KeyName, !Ref AWS::NoValue]
        IamInstanceProfile: { Arn: !GetAtt HandlerInstanceProfile.Arn }
        MetadataOptions: { HttpTokens: required, HttpPutResponseHopLimit: 1 }
        NetworkInterfaces:
          - { DeviceIndex: 0, AssociatePublicIpAddress: false, Groups: [!Ref InstanceSecurityGroup] }
        BlockDeviceMappings:
          - { DeviceName: /dev/xvda, Ebs: { VolumeType: gp3, VolumeSize: 16, Encrypted: true } }
        TagSpecifications:
          - { ResourceType: instance, Tags: [{ Key: Name, Value: !Ref AWS::StackName }] }
          - { ResourceType: volume, Tags: [{ Key: Name, Value: !Ref AWS::StackName }] }
        UserData:
          Fn::Base64: !Sub
            - |
${indented(userData, 14)}${instanceWords}
  InstancesGroup:
    Type: AWS::AutoScaling::AutoScalingGroup
    DependsOn: NLBListener
    # An instance that does not become healthy ends the update, and the old ones stay.
    CreationPolicy:
      ResourceSignal: { Count: !Ref InstanceNumber, Timeout: PT15M }
    UpdatePolicy:
      AutoScalingRollingUpdate:
        MinInstancesInService: 1
        MaxBatchSize: 1
        WaitOnResourceSignals: true
        PauseTime: PT15M
        SuspendProcesses: [HealthCheck, ReplaceUnhealthy, AZRebalance, AlarmNotification, ScheduledActions]
    Properties:
      VPCZoneIdentifier: !Ref HandlerSubnetIds
      LaunchTemplate: { LaunchTemplateId: !Ref LaunchTemplate, Version: !GetAtt LaunchTemplate.LatestVersionNumber }
      MinSize: !Ref InstanceNumber
      MaxSize: !Ref InstanceNumberMax
      TargetGroupARNs: [!Ref NLBTargetGroup]
      HealthCheckType: ELB
      HealthCheckGracePeriod: 300
      DefaultInstanceWarmup: 120
      TerminationPolicies: [OldestLaunchTemplate, OldestInstance]
      MetricsCollection: [{ Granularity: 1Minute }]

  ScalingPolicy:
    Type: AWS::AutoScaling::ScalingPolicy
    Properties:
      AutoScalingGroupName: !Ref InstancesGroup
      PolicyType: TargetTrackingScaling
      TargetTrackingConfiguration:
        PredefinedMetricSpecification: { PredefinedMetricType: ASGAverageCPUUtilization }
        TargetValue: 60
`;
