# doubletake as a traffic mirror target on AWS: a CloudFormation stack, run by Terraform.
# Made by: doubletake generate terraform. What it gives, and how to use it, stands in docs/deploying.md.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  type        = string
  description = "Name of the stack."
  default     = "doubletake"
}

variable "handler_vpc_id" {
  type        = string
  description = "VPC of the replay handler."
}

variable "handler_subnet_ids" {
  type        = list(string)
  description = "Subnets of the replay handler, in two zones or more. They need a way to the test environment, from the mirrored instances, and to the package registry when an instance starts (a NAT gateway, or a registry of your own)."
}

variable "mirror_source_cidr_block" {
  type        = string
  description = "Network of the mirrored interfaces: what is admitted on UDP 4789. For example the CIDR block of their VPC."
  validation {
    condition     = can(regex("^(?:(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2}))$", var.mirror_source_cidr_block))
    error_message = "mirror_source_cidr_block must be an IPv4 network such as 10.0.0.0/16."
  }
}

variable "instance_type" {
  type        = string
  description = "Type of the instances. Each of its processors serves about 20,000 requests/s."
  default     = "t4g.small"
  validation {
    condition     = can(regex("^(?:(t3|t3a|m5|m5a|m5n|m6i|m6a|m6in|m7i|m7a|c5|c5a|c5n|c6i|c6a|c6in|c7i|c7a|r5|r5a|r5n|r6i|r6a|r6in|r7i|r7a|t4g|m6g|m7g|m8g|c6g|c6gn|c7g|c7gn|c8g|r6g|r7g|r8g)\\.[a-z0-9-]+)$", var.instance_type))
    error_message = "instance_type must be a type of one of the families t, m, c or r that the template knows."
  }
}

variable "instance_number" {
  type        = number
  description = "Instances at least."
  default     = 2
  validation {
    condition     = var.instance_number >= 1 && var.instance_number <= 100
    error_message = "instance_number must be a number from 1 to 100."
  }
}

variable "instance_number_max" {
  type        = number
  description = "Instances at most, also while a new version takes the place of the old one: at least InstanceNumber, and better one more."
  default     = 4
  validation {
    condition     = var.instance_number_max >= 2 && var.instance_number_max <= 100
    error_message = "instance_number_max must be a number from 2 to 100."
  }
}

variable "key_name" {
  type        = string
  description = "Optional: the EC2 key pair for SSH."
  default     = ""
  validation {
    condition     = can(regex("^(?:[ -~]{0,255})$", var.key_name))
    error_message = "key_name must be the name of an existing key pair, or empty."
  }
}

variable "ssh_location" {
  type        = string
  description = "Optional: the network from which SSH is admitted."
  default     = ""
  validation {
    condition     = can(regex("^(?:((\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2}))?)$", var.ssh_location))
    error_message = "ssh_location must be an IPv4 network such as 10.0.0.0/16, or empty."
  }
}

variable "session_manager" {
  type        = bool
  description = "Let people with the right to it open a shell through Systems Manager, without SSH."
  default     = false
}

variable "traffic_mirroring_vni" {
  type        = number
  description = "VXLAN network identifier of the mirror sessions. Packets with another one are not taken."
  validation {
    condition     = var.traffic_mirroring_vni >= 1 && var.traffic_mirroring_vni <= 16777215
    error_message = "traffic_mirroring_vni must be a number from 1 to 16777215."
  }
}

variable "filter_by_destination_port" {
  type        = number
  description = "Port of the mirrored servers."
  default     = 80
  validation {
    condition     = var.filter_by_destination_port >= 1 && var.filter_by_destination_port <= 65535
    error_message = "filter_by_destination_port must be a number from 1 to 65535."
  }
}

variable "filter_by_source_cidr_block" {
  type        = string
  description = "Network of the clients whose requests are mirrored."
  default     = "0.0.0.0/0"
  validation {
    condition     = can(regex("^(?:(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2}))$", var.filter_by_source_cidr_block))
    error_message = "filter_by_source_cidr_block must be an IPv4 network such as 10.0.0.0/16."
  }
}

variable "filter_by_destination_cidr_block" {
  type        = string
  description = "Network of the servers to which the requests go."
  default     = "0.0.0.0/0"
  validation {
    condition     = can(regex("^(?:(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2}))$", var.filter_by_destination_cidr_block))
    error_message = "filter_by_destination_cidr_block must be an IPv4 network such as 10.0.0.0/16."
  }
}

variable "mirror_responses" {
  type        = bool
  description = "Mirror what production answers too. Without it answers cannot be compared, and half the bytes are mirrored."
  default     = true
}

variable "requests_forward_destination" {
  type        = string
  description = "URL of the test environment, such as http://test.internal or https://10.1.2.3:8443."
  validation {
    condition     = can(regex("^(?:https?://[A-Za-z0-9.:\\[\\]_-]+(/[A-Za-z0-9._~%/-]*)?)$", var.requests_forward_destination))
    error_message = "requests_forward_destination must be a URL with http:// or https://, a host and perhaps a port and a path."
  }
}

variable "forward_percentage" {
  type        = number
  description = "Share of the requests that is replayed, in percent."
  default     = 100
  validation {
    condition     = var.forward_percentage >= 0 && var.forward_percentage <= 100
    error_message = "forward_percentage must be a number from 0 to 100."
  }
}

variable "percentage_by" {
  type        = string
  description = "What is in the share as a whole: each request (empty), all requests with the same value of a header, or all of one client."
  default     = ""
  validation {
    condition     = contains(["", "header", "remoteaddr"], var.percentage_by)
    error_message = "percentage_by must be one of nothing, header, remoteaddr."
  }
}

variable "percentage_by_header" {
  type        = string
  description = "The header, where PercentageBy is header."
  default     = ""
  validation {
    condition     = can(regex("^(?:[A-Za-z0-9_-]*)$", var.percentage_by_header))
    error_message = "percentage_by_header must be the name of a header."
  }
}

variable "forward_methods" {
  type        = string
  description = "safe replays GET, HEAD and OPTIONS alone. all also replays what changes data."
  default     = "safe"
  validation {
    condition     = contains(["safe", "all"], var.forward_methods)
    error_message = "forward_methods must be one of safe, all."
  }
}

variable "keep_original_host_header" {
  type        = bool
  description = "Send the Host header that production saw, instead of the test environment's own."
  default     = false
}

variable "sanitize" {
  type        = bool
  description = "Replace credentials, personal and payment data by pseudonyms before a request leaves the instance. Their key is made by the stack."
  default     = true
}

variable "configuration_parameter" {
  type        = string
  description = "Optional: the name of a Systems Manager parameter that holds a whole configuration file, which then takes the place of what this and the group above say. It has to listen on 4789, and for health on HealthPort."
  default     = ""
  validation {
    condition     = can(regex("^(?:(/[A-Za-z0-9_.-]+)*)$", var.configuration_parameter))
    error_message = "configuration_parameter must be a name that begins with a slash, or empty."
  }
}

variable "health_port" {
  type        = number
  description = "Port of the health check."
  default     = 8080
  validation {
    condition     = var.health_port >= 1024 && var.health_port <= 65535
    error_message = "health_port must be a number from 1024 to 65535."
  }
}

variable "loss_alarm_percent" {
  type        = number
  description = "Alarm when more than this percentage of the captured requests is lost: dropped, failed or incomplete."
  default     = 1
  validation {
    condition     = var.loss_alarm_percent >= 0 && var.loss_alarm_percent <= 100
    error_message = "loss_alarm_percent must be a number from 0 to 100."
  }
}

variable "alarm_topic_arn" {
  type        = string
  description = "Optional: the SNS topic that the alarms notify."
  default     = ""
  validation {
    condition     = can(regex("^(?:(arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+)?)$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic, or empty."
  }
}

variable "log_retention_days" {
  type        = number
  description = "How long logs are kept."
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 180, 365."
  }
}

variable "release" {
  type        = string
  description = "Version of the npm package."
  default     = "0.1.0"
  validation {
    condition     = can(regex("^(?:[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?)$", var.release))
    error_message = "release must be a version such as 1.2.3."
  }
}

variable "release_object" {
  type        = string
  description = "Optional: BUCKET/KEY in S3 of the packed package (npm pack), which is then installed instead of the registry's."
  default     = ""
  validation {
    condition     = can(regex("^(?:([a-z0-9.-]{3,63}/[A-Za-z0-9._/+-]+)?)$", var.release_object))
    error_message = "release_object must be BUCKET/KEY, or empty."
  }
}

variable "release_sha256" {
  type        = string
  description = "Optional: the SHA-256 of the package. One with another is not installed."
  default     = ""
  validation {
    condition     = can(regex("^(?:([0-9a-f]{64})?)$", var.release_sha256))
    error_message = "release_sha256 must be 64 hexadecimal digits, or empty."
  }
}

variable "npm_registry" {
  type        = string
  description = "Registry of the package and of what it depends on."
  default     = "https://registry.npmjs.org/"
  validation {
    condition     = can(regex("^(?:https://[A-Za-z0-9._~:/@-]+)$", var.npm_registry))
    error_message = "npm_registry must be a URL with https://."
  }
}

variable "latest_ami_id_x86" {
  type        = string
  description = "Leave it: the newest Amazon Linux 2023 for x86. A stack update takes a newer one over."
  default     = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

variable "latest_ami_id_arm" {
  type        = string
  description = "Leave it: the newest Amazon Linux 2023 for ARM. A stack update takes a newer one over."
  default     = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_cloudformation_stack" "doubletake" {
  name         = var.name
  capabilities = ["CAPABILITY_IAM"]
  parameters = {
    HandlerVpcId                 = var.handler_vpc_id
    HandlerSubnetIds             = join(",", var.handler_subnet_ids)
    MirrorSourceCidrBlock        = var.mirror_source_cidr_block
    InstanceType                 = var.instance_type
    InstanceNumber               = var.instance_number
    InstanceNumberMax            = var.instance_number_max
    KeyName                      = var.key_name
    SSHLocation                  = var.ssh_location
    SessionManager               = var.session_manager
    TrafficMirroringVNI          = var.traffic_mirroring_vni
    FilterByDestinationPort      = var.filter_by_destination_port
    FilterBySourceCidrBlock      = var.filter_by_source_cidr_block
    FilterByDestinationCidrBlock = var.filter_by_destination_cidr_block
    MirrorResponses              = var.mirror_responses
    RequestsForwardDestination   = var.requests_forward_destination
    ForwardPercentage            = var.forward_percentage
    PercentageBy                 = var.percentage_by
    PercentageByHeader           = var.percentage_by_header
    ForwardMethods               = var.forward_methods
    KeepOriginalHostHeader       = var.keep_original_host_header
    Sanitize                     = var.sanitize
    ConfigurationParameter       = var.configuration_parameter
    HealthPort                   = var.health_port
    LossAlarmPercent             = var.loss_alarm_percent
    AlarmTopicArn                = var.alarm_topic_arn
    LogRetentionDays             = var.log_retention_days
    Release                      = var.release
    ReleaseObject                = var.release_object
    ReleaseSha256                = var.release_sha256
    NpmRegistry                  = var.npm_registry
    LatestAmiIdX86               = var.latest_ami_id_x86
    LatestAmiIdArm               = var.latest_ami_id_arm
  }
  template_body = <<TEMPLATE
AWSTemplateFormatVersion: '2010-09-09'
Description: doubletake takes mirrored traffic (VXLAN) and replays its requests to a test environment.
# Made by: doubletake generate cloudformation. What it gives, and how to use it, stands in docs/deploying.md.

Parameters:
  HandlerVpcId:
    Type: AWS::EC2::VPC::Id
    Description: 'VPC of the replay handler.'
  HandlerSubnetIds:
    Type: List<AWS::EC2::Subnet::Id>
    Description: 'Subnets of the replay handler, in two zones or more. They need a way to the test environment, from the mirrored instances, and to the package registry when an instance starts (a NAT gateway, or a registry of your own).'
  MirrorSourceCidrBlock:
    Type: String
    Description: 'Network of the mirrored interfaces: what is admitted on UDP 4789. For example the CIDR block of their VPC.'
    AllowedPattern: '(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})'
    ConstraintDescription: 'must be an IPv4 network such as 10.0.0.0/16'
  InstanceType:
    Type: String
    Description: 'Type of the instances. Each of its processors serves about 20,000 requests/s.'
    Default: 't4g.small'
    AllowedPattern: '(t3|t3a|m5|m5a|m5n|m6i|m6a|m6in|m7i|m7a|c5|c5a|c5n|c6i|c6a|c6in|c7i|c7a|r5|r5a|r5n|r6i|r6a|r6in|r7i|r7a|t4g|m6g|m7g|m8g|c6g|c6gn|c7g|c7gn|c8g|r6g|r7g|r8g)\.[a-z0-9-]+'
    ConstraintDescription: 'must be a type of one of the families t, m, c or r that the template knows'
  InstanceNumber:
    Type: Number
    Description: 'Instances at least.'
    Default: 2
    MinValue: 1
    MaxValue: 100
  InstanceNumberMax:
    Type: Number
    Description: 'Instances at most, also while a new version takes the place of the old one: at least InstanceNumber, and better one more.'
    Default: 4
    MinValue: 2
    MaxValue: 100
  KeyName:
    Type: String
    Description: 'Optional: the EC2 key pair for SSH.'
    Default: ''
    AllowedPattern: '[ -~]{0,255}'
    ConstraintDescription: 'must be the name of an existing key pair, or empty'
  SSHLocation:
    Type: String
    Description: 'Optional: the network from which SSH is admitted.'
    Default: ''
    AllowedPattern: '((\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2}))?'
    ConstraintDescription: 'must be an IPv4 network such as 10.0.0.0/16, or empty'
  SessionManager:
    Type: String
    Description: 'Let people with the right to it open a shell through Systems Manager, without SSH.'
    Default: 'false'
    AllowedValues: ['true', 'false']
  TrafficMirroringVNI:
    Type: Number
    Description: 'VXLAN network identifier of the mirror sessions. Packets with another one are not taken.'
    MinValue: 1
    MaxValue: 16777215
  FilterByDestinationPort:
    Type: Number
    Description: 'Port of the mirrored servers.'
    Default: 80
    MinValue: 1
    MaxValue: 65535
  FilterBySourceCidrBlock:
    Type: String
    Description: 'Network of the clients whose requests are mirrored.'
    Default: '0.0.0.0/0'
    AllowedPattern: '(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})'
    ConstraintDescription: 'must be an IPv4 network such as 10.0.0.0/16'
  FilterByDestinationCidrBlock:
    Type: String
    Description: 'Network of the servers to which the requests go.'
    Default: '0.0.0.0/0'
    AllowedPattern: '(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})'
    ConstraintDescription: 'must be an IPv4 network such as 10.0.0.0/16'
  MirrorResponses:
    Type: String
    Description: 'Mirror what production answers too. Without it answers cannot be compared, and half the bytes are mirrored.'
    Default: 'true'
    AllowedValues: ['true', 'false']
  RequestsForwardDestination:
    Type: String
    Description: 'URL of the test environment, such as http://test.internal or https://10.1.2.3:8443.'
    AllowedPattern: 'https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~%/-]*)?'
    ConstraintDescription: 'must be a URL with http:// or https://, a host and perhaps a port and a path'
  ForwardPercentage:
    Type: Number
    Description: 'Share of the requests that is replayed, in percent.'
    Default: 100
    MinValue: 0
    MaxValue: 100
  PercentageBy:
    Type: String
    Description: 'What is in the share as a whole: each request (empty), all requests with the same value of a header, or all of one client.'
    Default: ''
    AllowedValues: ['', 'header', 'remoteaddr']
  PercentageByHeader:
    Type: String
    Description: 'The header, where PercentageBy is header.'
    Default: ''
    AllowedPattern: '[A-Za-z0-9_-]*'
    ConstraintDescription: 'must be the name of a header'
  ForwardMethods:
    Type: String
    Description: 'safe replays GET, HEAD and OPTIONS alone. all also replays what changes data.'
    Default: 'safe'
    AllowedValues: ['safe', 'all']
  KeepOriginalHostHeader:
    Type: String
    Description: 'Send the Host header that production saw, instead of the test environment''s own.'
    Default: 'false'
    AllowedValues: ['true', 'false']
  Sanitize:
    Type: String
    Description: 'Replace credentials, personal and payment data by pseudonyms before a request leaves the instance. Their key is made by the stack.'
    Default: 'true'
    AllowedValues: ['true', 'false']
  ConfigurationParameter:
    Type: String
    Description: 'Optional: the name of a Systems Manager parameter that holds a whole configuration file, which then takes the place of what this and the group above say. It has to listen on 4789, and for health on HealthPort.'
    Default: ''
    AllowedPattern: '(/[A-Za-z0-9_.-]+)*'
    ConstraintDescription: 'must be a name that begins with a slash, or empty'
  HealthPort:
    Type: Number
    Description: 'Port of the health check.'
    Default: 8080
    MinValue: 1024
    MaxValue: 65535
  LossAlarmPercent:
    Type: Number
    Description: 'Alarm when more than this percentage of the captured requests is lost: dropped, failed or incomplete.'
    Default: 1
    MinValue: 0
    MaxValue: 100
  AlarmTopicArn:
    Type: String
    Description: 'Optional: the SNS topic that the alarms notify.'
    Default: ''
    AllowedPattern: '(arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+)?'
    ConstraintDescription: 'must be the ARN of an SNS topic, or empty'
  LogRetentionDays:
    Type: Number
    Description: 'How long logs are kept.'
    Default: 30
    AllowedValues: [1, 3, 5, 7, 14, 30, 60, 90, 180, 365]
  Release:
    Type: String
    Description: 'Version of the npm package.'
    Default: '0.1.0'
    AllowedPattern: '[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?'
    ConstraintDescription: 'must be a version such as 1.2.3'
  ReleaseObject:
    Type: String
    Description: 'Optional: BUCKET/KEY in S3 of the packed package (npm pack), which is then installed instead of the registry''s.'
    Default: ''
    AllowedPattern: '([a-z0-9.-]{3,63}/[A-Za-z0-9._/+-]+)?'
    ConstraintDescription: 'must be BUCKET/KEY, or empty'
  ReleaseSha256:
    Type: String
    Description: 'Optional: the SHA-256 of the package. One with another is not installed.'
    Default: ''
    AllowedPattern: '([0-9a-f]{64})?'
    ConstraintDescription: 'must be 64 hexadecimal digits, or empty'
  NpmRegistry:
    Type: String
    Description: 'Registry of the package and of what it depends on.'
    Default: 'https://registry.npmjs.org/'
    AllowedPattern: 'https://[A-Za-z0-9._~:/@-]+'
    ConstraintDescription: 'must be a URL with https://'
  LatestAmiIdX86:
    Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>
    Description: 'Leave it: the newest Amazon Linux 2023 for x86. A stack update takes a newer one over.'
    Default: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64'
  LatestAmiIdArm:
    Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>
    Description: 'Leave it: the newest Amazon Linux 2023 for ARM. A stack update takes a newer one over.'
    Default: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64'

Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
      - Label: { default: 'Where it runs' }
        Parameters: [HandlerVpcId, HandlerSubnetIds, MirrorSourceCidrBlock, InstanceType, InstanceNumber, InstanceNumberMax, KeyName, SSHLocation, SessionManager]
      - Label: { default: 'What is mirrored' }
        Parameters: [TrafficMirroringVNI, FilterByDestinationPort, FilterBySourceCidrBlock, FilterByDestinationCidrBlock, MirrorResponses]
      - Label: { default: 'What is replayed, and where to' }
        Parameters: [RequestsForwardDestination, ForwardPercentage, PercentageBy, PercentageByHeader, ForwardMethods, KeepOriginalHostHeader, Sanitize, ConfigurationParameter]
      - Label: { default: 'What tells how it does' }
        Parameters: [HealthPort, LossAlarmPercent, AlarmTopicArn, LogRetentionDays]
      - Label: { default: 'What is installed' }
        Parameters: [Release, ReleaseObject, ReleaseSha256, NpmRegistry, LatestAmiIdX86, LatestAmiIdArm]

Rules:
  HeaderIsNamed:
    RuleCondition: !Equals [!Ref PercentageBy, header]
    Assertions:
      - Assert: !Not [!Equals [!Ref PercentageByHeader, '']]
        AssertDescription: PercentageBy is header, so PercentageByHeader has to name it.

Conditions:
  # At most ten conditions go into one !Or.
  UsesArm: !Or
    - !Or
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], t4g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], m6g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], m7g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], m8g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], c6g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], c6gn]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], c7g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], c7gn]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], c8g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], r6g]
    - !Or
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], r7g]
      - !Equals [!Select [0, !Split ['.', !Ref InstanceType]], r8g]
  HasKey: !Not [!Equals [!Ref KeyName, '']]
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
  NetworkLoadBalancer:
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

  TrafficMirrorTarget:
    Type: AWS::EC2::TrafficMirrorTarget
    DependsOn: NLBListener
    Properties:
      Description: !Sub 'doubletake $${AWS::StackName}'
      NetworkLoadBalancerArn: !Ref NetworkLoadBalancer

  TrafficMirrorFilter:
    Type: AWS::EC2::TrafficMirrorFilter
    Properties:
      Description: !Sub 'doubletake $${AWS::StackName}: requests and answers of port $${FilterByDestinationPort}'

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

  HandlerRole:
    Type: AWS::IAM::Role
    Properties:
      Description: What the instances of the replay handler may do
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: sts:AssumeRole }]
      ManagedPolicyArns: !If
        - UsesSessionManager
        - [!Sub 'arn:$${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore']
        - !Ref AWS::NoValue
      Policies:
        - PolicyName: ship-logs
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              # The attribute ends with :*, and so holds for the streams.
              - { Effect: Allow, Action: [logs:CreateLogStream, logs:DescribeLogStreams, logs:PutLogEvents], Resource: !GetAtt LogGroup.Arn }
        - !If
          - Sanitizes
          - PolicyName: read-sanitize-key
            PolicyDocument:
              Version: '2012-10-17'
              Statement: [{ Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref SanitizeKey }]
          - !Ref AWS::NoValue
        - !If
          - HasOwnConfiguration
          - PolicyName: read-configuration
            PolicyDocument:
              Version: '2012-10-17'
              Statement: [{ Effect: Allow, Action: ssm:GetParameter, Resource: !Sub 'arn:$${AWS::Partition}:ssm:$${AWS::Region}:$${AWS::AccountId}:parameter$${ConfigurationParameter}' }]
          - !Ref AWS::NoValue
        - !If
          - HasReleaseObject
          - PolicyName: read-release
            PolicyDocument:
              Version: '2012-10-17'
              Statement: [{ Effect: Allow, Action: s3:GetObject, Resource: !Sub 'arn:$${AWS::Partition}:s3:::$${ReleaseObject}' }]
          - !Ref AWS::NoValue

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
      Description: !Sub 'Key of the pseudonyms of doubletake $${AWS::StackName}'
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
              #!/bin/bash
              set -euo pipefail
              destination="$${!DESTDIR:-}"
              PATH="$PATH:/opt/aws/bin:/opt/aws/amazon-cloudwatch-agent/bin"

              finish() {
                cfn-signal --exit-code "$?" --stack '$${AWS::StackName}' --resource InstancesGroup --region '$${AWS::Region}'
              }
              trap finish EXIT

              install_packages() {
                dnf install --assumeyes --quiet aws-cfn-bootstrap awscli-2 amazon-cloudwatch-agent logrotate nodejs24 nodejs24-npm
              }

              # One release, whose digest is checked where it is known. Install scripts do not run: nothing needs them.
              install_release() {
                local folder="$destination/opt/doubletake" object='$${ReleaseObject}' digest='$${ReleaseSha256}'
                export npm_config_registry='$${NpmRegistry}' npm_config_update_notifier=false
                cd "$folder"
                if [ -n "$object" ]; then
                  aws s3 cp --only-show-errors "s3://$object" release.tgz
                else
                  mv "$(npm-24 pack --silent 'doubletake@$${Release}')" release.tgz
                fi
                if [ -n "$digest" ]; then
                  echo "$digest  release.tgz" | sha256sum --check --quiet
                fi
                echo '{ "private": true }' >package.json
                npm-24 install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error ./release.tgz
              }

              prepare() {
                id doubletake >/dev/null 2>&1 || useradd --system --home-dir /var/lib/doubletake --shell /sbin/nologin doubletake
                local folder
                for folder in etc/doubletake etc/systemd/system etc/sysctl.d etc/logrotate.d var/log/doubletake opt/doubletake; do
                  mkdir -p "$destination/$folder"
                done
              }

              write_configuration() {
                local own='$${ConfigurationParameter}' secret='$${SanitizeKeySecret}' folder="$destination/etc/doubletake"
                if [ -n "$own" ]; then
                  aws ssm get-parameter --region '$${AWS::Region}' --with-decryption --name "$own" --query Parameter.Value --output text >"$folder/mirror.yaml"
                else
                  cat >"$folder/mirror.yaml" <<'END'
              # Made from the stack's parameters; the instance is replaced when they change.
              sources:
                - vxlan: { listen: "0.0.0.0:4789", vni: [$${TrafficMirroringVNI}], ports: [$${FilterByDestinationPort}] }
              policy:
                methods: $${ForwardMethods}
                sample: { percentage: $${ForwardPercentage}, by: $${SampleBy}$${SampleHeader} }
                $${SanitizePolicy}
              targets:
                - { name: candidate, url: "$${RequestsForwardDestination}", host: $${HostHeader} }
              health: "0.0.0.0:$${HealthPort}"
              ledger: /var/lib/doubletake/ledger.json
              END
                  echo "workers: $(nproc)" >>"$folder/mirror.yaml"
                fi
                chmod 0640 "$folder/mirror.yaml"
                chgrp doubletake "$folder/mirror.yaml"
                # Only systemd reads it, which is root, and hands it to the service.
                install -m 0600 /dev/null "$folder/environment"
                if [ -n "$secret" ]; then
                  secret="$(aws secretsmanager get-secret-value --region '$${AWS::Region}' --secret-id "$secret" --query SecretString --output text)"
                  echo "DOUBLETAKE_KEY=$secret" >"$folder/environment"
                fi
              }

              write_service() {
                cat >"$destination/etc/systemd/system/doubletake.service" <<'END'
              [Unit]
              Description=doubletake mirror: replays a copy of production traffic to a test environment
              Wants=network-online.target
              After=network-online.target
              # What it sends to may be away for hours: it is tried again as long as it takes.
              StartLimitIntervalSec=0

              [Service]
              Type=exec
              User=doubletake
              Group=doubletake
              # Secrets such as DOUBLETAKE_KEY, one NAME=value a line, readable by root alone.
              EnvironmentFile=-/etc/doubletake/environment
              ExecStart=/usr/bin/node-24 /opt/doubletake/node_modules/doubletake/bin/doubletake.js mirror /etc/doubletake/mirror.yaml
              ExecReload=/bin/kill -HUP $MAINPID
              StandardOutput=append:/var/log/doubletake/doubletake.log
              StandardError=append:/var/log/doubletake/doubletake.log
              WorkingDirectory=/var/lib/doubletake
              StateDirectory=doubletake
              UMask=0077
              Restart=always
              RestartSec=5
              # What is under way is finished first (drain, 10 s), and the ledger written.
              TimeoutStopSec=30
              KillMode=mixed

              # A connection takes a descriptor; the host comes first when memory is short.
              LimitNOFILE=65536
              LimitCORE=0
              TasksMax=512
              MemoryMax=85%
              OOMScoreAdjust=500

              # Least privilege.
              AmbientCapabilities=
              CapabilityBoundingSet=
              NoNewPrivileges=yes
              ProtectSystem=strict
              ProtectHome=yes
              PrivateTmp=yes
              PrivateDevices=yes
              PrivateIPC=yes
              ProtectClock=yes
              ProtectControlGroups=yes
              ProtectHostname=yes
              ProtectKernelLogs=yes
              ProtectKernelModules=yes
              ProtectKernelTunables=yes
              ProtectProc=invisible
              RemoveIPC=yes
              RestrictNamespaces=yes
              RestrictRealtime=yes
              RestrictSUIDSGID=yes
              LockPersonality=yes
              # Netlink names the host's interfaces.
              RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
              SystemCallArchitectures=native
              SystemCallFilter=@system-service
              SystemCallFilter=~@privileged
              SystemCallErrorNumber=EPERM
              # Not MemoryDenyWriteExecute: Node makes machine code while it runs.

              [Install]
              WantedBy=multi-user.target
              END
                # The mirror asks for a receive buffer of this size, which bridges a pause.
                echo 'net.core.rmem_max=67108864' >"$destination/etc/sysctl.d/90-doubletake.conf"
                cat >"$destination/etc/logrotate.d/doubletake" <<'END'
              /var/log/doubletake/doubletake.log {
                size 50M
                rotate 4
                compress
                copytruncate
                missingok
              }
              END
              }

              ship_logs() {
                local file="$destination/opt/aws/amazon-cloudwatch-agent/etc/doubletake.json"
                mkdir -p "$(dirname "$file")"
                cat >"$file" <<'END'
              {
                "agent": {
                  "run_as_user": "root"
                },
                "logs": {
                  "logs_collected": {
                    "files": {
                      "collect_list": [
                        {
                          "file_path": "/var/log/doubletake/doubletake.log",
                          "log_group_name": "$${LogGroup}",
                          "log_stream_name": "{instance_id}/doubletake"
                        },
                        {
                          "file_path": "/var/log/cloud-init-output.log",
                          "log_group_name": "$${LogGroup}",
                          "log_stream_name": "{instance_id}/start"
                        }
                      ]
                    }
                  }
                }
              }
              END
                amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c "file:$file"
              }

              start() {
                sysctl --quiet --system
                systemctl daemon-reload
                systemctl enable --now logrotate.timer doubletake.service
                # Healthy is what the load balancer calls healthy. The test environment has to be there.
                curl --silent --show-error --fail --output /dev/null --retry 60 --retry-delay 5 --retry-max-time 300 --retry-all-errors 'http://127.0.0.1:$${HealthPort}/healthz'
              }

              install_packages
              prepare
              write_service
              write_configuration
              ship_logs
              install_release
              start
            - SampleBy: !If [SamplesByHeader, header, !If [SamplesByClient, remote-address, request]]
              SampleHeader: !If [SamplesByHeader, !Sub ', header: "$${PercentageByHeader}"', '']
              HostHeader: !If [KeepsHost, original, target]
              SanitizeKeySecret: !If [Sanitizes, !Ref SanitizeKey, '']
              SanitizePolicy: !If [Sanitizes, 'sanitize: { key: "$${DOUBLETAKE_KEY}" }', '# sanitize: the stack says no']

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

  LogGroup:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      RetentionInDays: !Ref LogRetentionDays

  # Requests seen.
  CapturedMetricFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.msg = "progress" && $.recent.captured = * }'
      MetricTransformations:
        - { MetricNamespace: !Sub 'doubletake/$${AWS::StackName}', MetricName: Captured, MetricValue: $.recent.captured, Unit: Count }

  # Requests dropped, failed or incomplete, and packets that the kernel dropped.
  LostMetricFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.msg = "progress" && $.recent.lost = * }'
      MetricTransformations:
        - { MetricNamespace: !Sub 'doubletake/$${AWS::StackName}', MetricName: Lost, MetricValue: $.recent.lost, Unit: Count }

  # Packets that came faster than they were read.
  KernelDropsMetricFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.msg = "progress" && $.recent.kernelDrops = * }'
      MetricTransformations:
        - { MetricNamespace: !Sub 'doubletake/$${AWS::StackName}', MetricName: KernelDrops, MetricValue: $.recent.kernelDrops, Unit: Count }

  # Lines of level error (50) and above: a file that cannot be written, a ledger that does not add up.
  ErrorsMetricFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.level >= 50 }'
      MetricTransformations:
        - { MetricNamespace: !Sub 'doubletake/$${AWS::StackName}', MetricName: Errors, MetricValue: '1', Unit: Count }

  LossAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '$${AWS::StackName} loses more than $${LossAlarmPercent} % of the requests it captures. The last line of progress in the log says how.'
      Metrics:
        - { Id: share, Label: lost percent, Expression: 'IF(captured > 0, 100 * lost / captured, 0)' }
        - Id: captured
          ReturnData: false
          MetricStat:
            Metric: { Namespace: !Sub 'doubletake/$${AWS::StackName}', MetricName: Captured }
            Stat: Sum
            Period: 60
        - Id: lost
          ReturnData: false
          MetricStat:
            Metric: { Namespace: !Sub 'doubletake/$${AWS::StackName}', MetricName: Lost }
            Stat: Sum
            Period: 60
      ComparisonOperator: GreaterThanThreshold
      Threshold: !Ref LossAlarmPercent
      EvaluationPeriods: 5
      DatapointsToAlarm: 3
      TreatMissingData: notBreaching
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

  KernelDropAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '$${AWS::StackName} reads packets more slowly than they come: larger or more instances.'
      Namespace: !Sub 'doubletake/$${AWS::StackName}'
      MetricName: KernelDrops
      Statistic: Sum
      Period: 60
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      EvaluationPeriods: 5
      DatapointsToAlarm: 3
      TreatMissingData: notBreaching
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

  # Also before the first mirror session, and when the sessions are gone.
  SilenceAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '$${AWS::StackName} has seen no request for 15 minutes. Are there mirror sessions with VNI $${TrafficMirroringVNI}, and is UDP 4789 admitted?'
      Namespace: !Sub 'doubletake/$${AWS::StackName}'
      MetricName: Captured
      Statistic: Sum
      Period: 300
      ComparisonOperator: LessThanThreshold
      Threshold: 1
      EvaluationPeriods: 3
      TreatMissingData: breaching
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

  ErrorAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '$${AWS::StackName} logs errors.'
      Namespace: !Sub 'doubletake/$${AWS::StackName}'
      MetricName: Errors
      Statistic: Sum
      Period: 60
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      EvaluationPeriods: 1
      TreatMissingData: notBreaching
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

  UnhealthyAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '$${AWS::StackName} has an instance that is not healthy and is not replaced either.'
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
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

  NobodyAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub '$${AWS::StackName} has no healthy instance: nothing is replayed.'
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
      AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]
      OKActions: !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]

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
TEMPLATE
}

output "traffic_mirror_target" {
  description = "The traffic mirror target, for the sessions."
  value       = aws_cloudformation_stack.doubletake.outputs["TrafficMirrorTarget"]
}

output "traffic_mirror_filter" {
  description = "The traffic mirror filter, for the sessions."
  value       = aws_cloudformation_stack.doubletake.outputs["TrafficMirrorFilter"]
}

output "log_group" {
  description = "Where the logs are."
  value       = aws_cloudformation_stack.doubletake.outputs["LogGroup"]
}
