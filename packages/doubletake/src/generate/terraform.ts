/**
 * Terraform: the CloudFormation stack as a resource, with a variable for each of its parameters. The template stands in it word
 * for word, so that both are the same; and instances are replaced as CloudFormation does it, one that does not become healthy
 * ending the update.
 */
import type { StackParameter } from './cloudformation/parameters.ts';

/** One file. `template` is the stack's template, and `parameters` are all that it has. */
export function terraformModule(template: string, parameters: readonly StackParameter[]): string {
  const width = Math.max(...parameters.map(({ name }) => name.length));
  const values = parameters.map(({ name, type }) => {
    const value = `var.${variableName(name)}`;
    return `    ${name.padEnd(width)} = ${type.startsWith('List<') ? `join(",", ${value})` : value}\n`;
  });
  return `# doubletake as a traffic mirror target on AWS: a CloudFormation stack, run by Terraform.
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
${parameters.map(variable).join('')}
resource "aws_cloudformation_stack" "doubletake" {
  name         = var.name
  capabilities = ["CAPABILITY_IAM"]
  parameters = {
${values.join('')}  }
  template_body = <<TEMPLATE
${literal(template)}TEMPLATE
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
`;
}

function variable(parameter: StackParameter): string {
  const { name, description, default: preset } = parameter;
  const kind = kindOf(parameter);
  const validation = validationOf(parameter);
  return `
variable "${variableName(name)}" {
  type        = ${kind}
  description = ${quoted(description)}
${preset === undefined ? '' : `  default     = ${kind === 'string' ? quoted(String(preset)) : preset}\n`}${
    validation === null
      ? ''
      : `  validation {
    condition     = ${validation.condition}
    error_message = ${quoted(`${variableName(name)} ${validation.message}.`)}
  }
`
  }}
`;
}

function kindOf({ type, values }: StackParameter): 'string' | 'number' | 'bool' | 'list(string)' {
  if (type.startsWith('List<')) return 'list(string)';
  if (type === 'Number') return 'number';
  return values?.length === 2 && values[0] === 'true' ? 'bool' : 'string';
}

function validationOf(parameter: StackParameter): { condition: string; message: string } | null {
  const { name, values, pattern, constraint, min, max } = parameter;
  const value = `var.${variableName(name)}`;
  if (kindOf(parameter) === 'bool') return null;
  if (values !== undefined) {
    const listed = values.map((each) => (kindOf(parameter) === 'number' ? each : quoted(each))).join(', ');
    return { condition: `contains([${listed}], ${value})`, message: `must be one of ${values.map((each) => (each === '' ? 'nothing' : each)).join(', ')}` };
  }
  if (pattern !== undefined) return { condition: `can(regex(${quoted(`^(?:${pattern})$`)}, ${value}))`, message: constraint ?? 'has the wrong form' };
  if (min !== undefined && max !== undefined) return { condition: `${value} >= ${min} && ${value} <= ${max}`, message: `must be a number from ${min} to ${max}` };
  return null;
}

/** `HandlerVpcId` is `handler_vpc_id`, and `TrafficMirroringVNI` `traffic_mirroring_vni`. */
function variableName(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toLowerCase();
}

function quoted(text: string): string {
  return `"${literal(text.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}"`;
}

/** Text in which Terraform sees no template of its own. */
function literal(text: string): string {
  return text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
}
