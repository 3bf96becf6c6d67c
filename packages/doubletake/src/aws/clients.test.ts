import { afterEach, beforeEach, expect, test } from 'vitest';
import { awsConfig, quickBackoff } from '../../test/support/aws/aws-runs.ts';
import { type FakeAws, startFakeAws } from '../../test/support/aws/fake-aws.ts';
import { openScopes } from './clients.ts';

let aws: FakeAws;
beforeEach(async () => {
  aws = await startFakeAws();
});
afterEach(() => aws.stop());

test('why it waits for AWS is told once that takes longer', async () => {
  const told: string[] = [];
  let refused = 0;
  aws.fault = ({ operation }) => (operation === 'DescribeInstances' && ++refused <= 5 ? { code: 'RequestLimitExceeded', message: 'Request limit exceeded.', status: 503 } : null);
  const [scope] = await openScopes(awsConfig(), { backoff: quickBackoff, signal: null, waiting: (text) => told.push(text) });
  await scope?.call('ec2', 'DescribeInstances', (ec2, options) => ec2.describeInstances({}, options));
  expect(told).toEqual([5, 6].map((attempt) => `ec2:DescribeInstances: Request limit exceeded.; trying again (${attempt} of ${quickBackoff.attemptsMax})`));
});
