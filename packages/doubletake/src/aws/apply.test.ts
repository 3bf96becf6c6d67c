import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyAll, awsConfig, planAll } from '../../test/support/aws/aws-runs.ts';
import { type FakeAws, startFakeAws } from '../../test/support/aws/fake-aws.ts';
import { addBalancer, addInstance } from '../../test/support/aws/fleet.ts';

let aws: FakeAws;
beforeEach(async () => {
  aws = await startFakeAws();
});
afterEach(async () => {
  await aws.stop();
  expect(aws.mistakes).toEqual([]);
});

test.each([0, 1, 50, 5_000])('a fleet of %i', async (size) => {
  const cloud = aws.cloud();
  addBalancer(cloud);
  for (let i = 0; i < size; i++) addInstance(cloud, i);
  const config = awsConfig();
  console.time('plan');
  const [plan] = await planAll(config);
  console.timeEnd('plan');
  console.time('apply');
  const results = await applyAll(config);
  console.timeEnd('apply');
  expect(results.filter((r) => r.outcome !== 'done')).toEqual([]);
  expect(cloud.sessions.all().length).toBe(size);
  console.log(aws.calls.length, plan?.plan.steps.length, cloud.sessions.all()[0], cloud.filters.all()[0], cloud.targets.all());
  aws.changes();
  await applyAll(config);
  expect(aws.changes()).toEqual([]);
});
