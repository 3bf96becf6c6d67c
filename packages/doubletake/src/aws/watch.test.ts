import { afterEach, beforeEach, expect, test } from 'vitest';
import { awsConfig, quickBackoff } from '../../test/support/aws/aws-runs.ts';
import { type FakeAws, startFakeAws } from '../../test/support/aws/fake-aws.ts';
import { addBalancer, addInstance } from '../../test/support/aws/fleet.ts';
import { openScopes } from './clients.ts';
import { watchFleet } from './watch.ts';

let aws: FakeAws;
beforeEach(async () => {
  aws = await startFakeAws();
});
afterEach(() => aws.stop());

test('a watch counts as done what was done, and not what waits for what failed', async () => {
  const cloud = aws.cloud();
  addBalancer(cloud);
  for (let number = 0; number < 3; number++) addInstance(cloud, number);
  aws.fault = ({ operation }) => (operation === 'CreateTrafficMirrorFilter' ? { code: 'InvalidParameterValue', message: 'AWS does not like it' } : null);
  const config = awsConfig();
  const ending = new AbortController();
  const warnings: string[] = [];
  const scopes = await openScopes(config, { backoff: quickBackoff, signal: null });
  await watchFleet(config, { everyMs: 1, queueUrl: null }, scopes, {
    backoff: quickBackoff,
    signal: ending.signal,
    now: () => 1_700_000_000_000,
    notice: () => {},
    warning: (text) => warnings.push(text),
    onRound: () => ending.abort(),
  });
  // The target alone was made; two rules and three sessions wait for the filter.
  expect(warnings).toEqual(['111111111111/eu-central-1: 1 of 7 steps done; ec2:CreateTrafficMirrorFilter was refused (InvalidParameterValue): AWS does not like it']);
});
