import type { AwsConfig } from '../config/aws-config.ts';
import { buildAwsConfig, readConfigFile } from '../config/load.ts';
import { DoubletakeError } from '../errors.ts';

/** `aws` of a configuration file; throws a `DoubletakeError` where there is none. */
export function readAws(file: string): AwsConfig {
  const aws = buildAwsConfig(readConfigFile(file, process.env));
  if (aws === undefined) throw new DoubletakeError('DT_USAGE', `${file} has no aws: (docs/aws.md)`);
  return aws;
}
