import type { Tag } from '@aws-sdk/client-ec2';
import type { Tags } from '../aws-rules/ownership.ts';

/** Tags as EC2 lists them. */
export function readTags(tags: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}
