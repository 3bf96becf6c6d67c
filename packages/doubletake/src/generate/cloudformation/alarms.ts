/**
 * Logs, and what is made of them. The mirror writes a JSON line of progress every ten seconds, whose `recent` counts what
 * came since the line before; metric filters add these numbers up over all instances, and alarms watch the sums. Nothing
 * but the log leaves the instance for it.
 */

/** Metrics made of the log: their names, and where in a line their numbers stand. */
export const logMetrics = [
  { name: 'Captured', path: '$.recent.captured', what: 'Requests seen.' },
  { name: 'Lost', path: '$.recent.lost', what: 'Requests dropped, failed or incomplete, and packets that the kernel dropped.' },
  { name: 'KernelDrops', path: '$.recent.kernelDrops', what: 'Packets that came faster than they were read.' },
] as const;

const namespace = "!Sub 'doubletake/${AWS::StackName}'";

const metricFilters = logMetrics
  .map(
    ({ name, path, what }) => `  # ${what}
  ${name}MetricFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.msg = "progress" && ${path} = * }'
      MetricTransformations:
        - { MetricNamespace: ${namespace}, MetricName: ${name}, MetricValue: ${path}, Unit: Count }

`,
  )
  .join('');

const actions = `      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
`;

function sumOf(name: string, id: string): string {
  return `        - Id: ${id}
          ReturnData: false
          MetricStat:
            Metric: { Namespace: ${namespace}, MetricName: ${name} }
            Stat: Sum
            Period: 60
`;
}

export const alarmResources = `  LogGroup:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      RetentionInDays: !Ref LogRetentionDays

${metricFilters}  # Lines of level error (50) and above: a file that cannot be written, a ledger that does not add up.
  ErrorsMetricFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.level >= 50 }'
      MetricTransformations:
        - { MetricNamespace: ${namespace}, MetricName: Errors, MetricValue: '1', Unit: Count }

  LossAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '\${AWS::StackName} loses more than \${LossAlarmPercent} % of the requests it captures. The last line of progress in the log says how.'
      Metrics:
        - { Id: share, Label: lost percent, Expression: 'IF(captured > 0, 100 * lost / captured, 0)' }
${sumOf('Captured', 'captured')}${sumOf('Lost', 'lost')}      ComparisonOperator: GreaterThanThreshold
      Threshold: !Ref LossAlarmPercent
      EvaluationPeriods: 5
      DatapointsToAlarm: 3
      TreatMissingData: notBreaching
${actions}
  KernelDropAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '\${AWS::StackName} reads packets more slowly than they come: larger or more instances.'
      Namespace: ${namespace}
      MetricName: KernelDrops
      Statistic: Sum
      Period: 60
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      EvaluationPeriods: 5
      DatapointsToAlarm: 3
      TreatMissingData: notBreaching
${actions}
  # Also before the first mirror session, and when the sessions are gone.
  SilenceAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '\${AWS::StackName} has seen no request for 15 minutes. Are there mirror sessions with VNI \${TrafficMirroringVNI}, and is UDP 4789 admitted?'
      Namespace: ${namespace}
      MetricName: Captured
      Statistic: Sum
      Period: 300
      ComparisonOperator: LessThanThreshold
      Threshold: 1
      EvaluationPeriods: 3
      TreatMissingData: breaching
${actions}
  ErrorAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '\${AWS::StackName} logs errors.'
      Namespace: ${namespace}
      MetricName: Errors
      Statistic: Sum
      Period: 60
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      EvaluationPeriods: 1
      TreatMissingData: notBreaching
${actions}
  UnhealthyAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '\${AWS::StackName} has an instance that is not healthy and is not replaced either.'
      Namespace: AWS/NetworkELB
      MetricName: UnHealthyHostCount
      Dimensions:
        - { Name: LoadBalancer, Value: !GetAtt NetworkLoadBalancer.LoadBalancerFullName }
        - { Name: TargetGroup, Value: !GetAtt NLBTargetGroup.TargetGroupFullName }
      Statistic: Maximum
      Period: 60
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      EvaluationPeriods: 10
      TreatMissingData: notBreaching
${actions}
  NobodyAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '\${AWS::StackName} has no healthy instance: nothing is replayed.'
      Namespace: AWS/NetworkELB
      MetricName: HealthyHostCount
      Dimensions:
        - { Name: LoadBalancer, Value: !GetAtt NetworkLoadBalancer.LoadBalancerFullName }
        - { Name: TargetGroup, Value: !GetAtt NLBTargetGroup.TargetGroupFullName }
      Statistic: Maximum
      Period: 60
      ComparisonOperator: LessThanThreshold
      Threshold: 1
      EvaluationPeriods: 3
      TreatMissingData: breaching
${actions}`;
