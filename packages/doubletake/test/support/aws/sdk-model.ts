/** The operations of AWS as the SDK itself knows them: every parameter and answer of the fake is held against these shapes. */
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as elasticloadbalancing from '@aws-sdk/client-elastic-load-balancing-v2';
import * as sqs from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import { NormalizedSchema } from '@smithy/core/schema';

const packages = { cloudwatch, ec2, ecs, elasticloadbalancing, sqs, sts };

export type FakeService = keyof typeof packages;
export type Shape = NormalizedSchema;

export interface OperationModel {
  input: Shape;
  output: Shape;
}

/** Null where the SDK knows no such operation. */
export function operationModel(service: FakeService, operation: string): OperationModel | null {
  const exported: unknown = Reflect.get(packages[service], `${operation}$`);
  if (!Array.isArray(exported)) return null;
  const [kind, , , , input, output] = exported as unknown[];
  if (kind !== 9) return null;
  return { input: NormalizedSchema.of(input as never), output: NormalizedSchema.of(output as never) };
}

/** The members that a structure must have; a schema lists them first and tells their number. */
export function requiredMembers(shape: Shape): string[] {
  const schema = shape.getSchema() as unknown as readonly [number, string, string, unknown, string[], unknown, number?];
  return schema[4].slice(0, schema[6] ?? 0);
}

/** What a parameter cannot be. AWS answers with this code. */
export class WrongParameter extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
