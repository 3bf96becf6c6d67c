import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlanTotals } from '../src/cli/aws-text.ts';
import type { FakeCloud } from './support/aws/cloud.ts';
import { assumedSecret, type FakeAws, startFakeAws, testCredentials } from './support/aws/fake-aws.ts';
import { addBalancer, addInstance, removeInstance } from './support/aws/fleet.ts';
import { runCliHere } from './support/cli-here.ts';
import { eventually, type Finished, program, recordingTarget, startMirror, stopAll } from './support/mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-aws-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let aws: FakeAws;
let cloud: FakeCloud;
let output = '';
const children = new Set<ChildProcess>();

beforeEach(async () => {
  aws = await startFakeAws();
  cloud = aws.cloud();
  addBalancer(cloud);
  output = '';
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stopAll();
  // Whatever a command printed, it was no credential.
  for (const secret of [...Object.values(testCredentials), assumedSecret, 'a-session-token']) {
    if (output.includes(secret)) throw new Error(`a credential was printed: ${output}`);
  }
  await aws.stop();
});

let files = 0;

function configFile(settings: object = {}, more: object = {}): string {
  const usual = { sources: [{ tags: { app: 'shop' } }], filter: { ports: [80] }, target: { networkLoadBalancer: 'mirrors' } };
  const file = join(folder, `${files++}.json`);
  writeFileSync(file, JSON.stringify({ aws: { ...usual, ...settings }, ...more }));
  return file;
}

async function run(...args: string[]): Promise<Finished> {
  const result = await runCliHere(['aws', ...args]);
  output += result.stdout + result.stderr;
  return result;
}

/** A command that goes on, and what it has printed. */
function start(...args: string[]): { child: ChildProcess; printed: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, printed: () => printed, ended };
}

const lines = (text: string): { event: string; [key: string]: unknown }[] =>
  text.trimEnd().split('\n').map((line) => JSON.parse(line) as { event: string });

describe('plan', () => {
  test('says what would be done and why each instance is in or out, and does nothing', async () => {
    addInstance(cloud, 1, { tags: { app: 'shop', Name: 'web-1' } });
    addInstance(cloud, 2, { state: 'stopped' });
    addInstance(cloud, 3, { tags: {} });
    const { code, stdout, stderr } = await run('plan', configFile());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`Account 111111111111, region eu-central-1

  + filter: there is none of ours
  + rule ingress tcp from 0.0.0.0/0 to 0.0.0.0/0 port 80: it is missing
  + rule egress tcp from 0.0.0.0/0 port 80 to 0.0.0.0/0: it is missing
  + rule ingress tcp from ::/0 to ::/0 port 80: it is missing
  + rule egress tcp from ::/0 port 80 to ::/0: it is missing
  + target arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/net/mirrors/0123456789abcdef: there is none for it
  + session on eni-00000000000000001: it has no session of ours

  Mirrored (1):
    eni-00000000000000001 i-00000000000000001 web-1: aws.sources[0] means it

  Not mirrored (1):
    eni-00000000000000002 i-00000000000000002: its instance is stopped, and a session would cost all the same

  1 other interfaces are meant by no entry of aws.sources.

Plan: 7 to create, 0 to change, 0 to remove; 0 sessions stay as they are.
`);
    expect(aws.changes()).toEqual([]);
  });

  test('--exit-code tells whether there is something to do, --json all of it', async () => {
    addInstance(cloud, 1);
    const file = configFile();
    const planned = await run('plan', file, '--exit-code', '--json');
    expect(planned.code).toBe(1);
    const totals = JSON.parse(planned.stdout) as PlanTotals & { scopes: { interfaces: object[] }[] };
    expect(totals).toMatchObject({ create: 7, change: 0, remove: 0, scopes: [{ account: '111111111111', interfaces: [{ verdict: 'in' }] }] });
    expect(await run('apply', file, '--yes')).toMatchObject({ code: 0 });
    expect(await run('plan', file, '--exit-code')).toMatchObject({ code: 0, stdout: expect.stringMatching(/Nothing to do: 1 session stays as it is\.\n$/) as string });
  });

  test.each<[string, object, RegExp]>([
    ['no such load balancer', { target: { networkLoadBalancer: 'other' } }, /there is no network load balancer other in eu-central-1 of account 111111111111 \[DT_AWS_TARGET\]$/],
    ['no such interface', { target: { networkInterface: 'eni-00000001' } }, /there is no network interface eni-00000001 .*\[DT_AWS_TARGET\]$/],
    ['no such traffic mirror target', { target: { mirrorTarget: 'tmt-00000001' } }, /there is no traffic mirror target tmt-00000001 .*\[DT_AWS_TARGET\]$/],
    ['no such endpoint', { target: { gatewayLoadBalancerEndpoint: 'vpce-00000001' } }, /there is no gateway load balancer endpoint vpce-00000001 .*\[DT_AWS_TARGET\]$/],
    ['no such ECS service', { sources: [{ ecsServices: [{ service: 'x' }] }] }, /ecs:ListTasks was refused \(ServiceNotFoundException\): .*\[DT_AWS_REFUSED\]$/],
    ['a role that may not be assumed', { accounts: [{ role: 'arn:aws:iam::222222222222:role/forbidden' }] }, /the credentials may not do sts:AssumeRole \(AccessDenied\).*"Action":\["sts:AssumeRole"\].*\[DT_AWS_PERMISSION\]$/],
  ])('%s', async (_, settings, message) => {
    const { code, stderr } = await run('plan', configFile(settings));
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
    expect(stderr.trimEnd()).toMatch(message);
  });

  test('a permission to look that is missing is named, with a policy', async () => {
    aws.fault = ({ operation }) => (operation === 'DescribeInstances' ? { code: 'UnauthorizedOperation', status: 403, message: 'You are not authorized to perform this operation.' } : null);
    expect((await run('plan', configFile())).stderr).toBe(
      'doubletake: the credentials may not do ec2:DescribeInstances (UnauthorizedOperation); let their policy allow it: {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances"],"Resource":"*"}]} [DT_AWS_PERMISSION]\n',
    );
  });

  test('a plan that failed does not go on asking', async () => {
    aws.fault = ({ operation }) => {
      if (operation === 'DescribeInstances') return { code: 'UnauthorizedOperation', status: 403, message: 'No.' };
      return operation === 'GetCallerIdentity' ? null : { code: 'RequestLimitExceeded', status: 503, message: 'Later.' };
    };
    // As its own process, which ends when nothing is under way any more: two minutes later, where calls are made again.
    const { ended } = start('aws', 'plan', configFile());
    expect(await ended).toBe(2);
  });

  test('credentials that AWS does not take are told without them', async () => {
    aws.fault = () => ({ code: 'SignatureDoesNotMatch', status: 403, message: `The request signature we calculated for ${testCredentials.AWS_ACCESS_KEY_ID} with ${testCredentials.AWS_SECRET_ACCESS_KEY} does not match` });
    expect(await run('plan', configFile())).toMatchObject({ code: 2, stderr: expect.stringContaining('[DT_AWS_CREDENTIALS]') as string });
  });
});

describe('apply and destroy', () => {
  test('nobody is asked without a terminal, and nothing is done without --yes', async () => {
    addInstance(cloud, 1);
    expect(await run('apply', configFile())).toMatchObject({ code: 2, stderr: 'doubletake: nobody is there to be asked: give --yes to do this\n' });
    expect(aws.changes()).toEqual([]);
  });

  test('--json is one object a line: the plan, each step, the end', async () => {
    addInstance(cloud, 1);
    const file = configFile();
    const applied = await run('apply', file, '--yes', '--json');
    expect({ code: applied.code, stderr: applied.stderr }).toEqual({ code: 0, stderr: '' });
    const events = lines(applied.stdout);
    expect(events.map(({ event }) => event)).toEqual(['plan', ...Array.from({ length: 7 }, () => 'step'), 'end']);
    expect(events.at(-2)).toMatchObject({ action: 'create-session', interface: 'eni-00000000000000001', outcome: 'done', id: cloud.sessions.all()[0]?.TrafficMirrorSessionId });
    expect(events.at(-1)).toEqual({ event: 'end', done: 7, failed: 0, skipped: 0 });
    const destroyed = await run('destroy', file, '--yes');
    expect(destroyed).toMatchObject({ code: 0, stdout: expect.stringMatching(/Done: 3 of 3 steps\.\n$/) as string });
    expect([cloud.sessions.size, cloud.filters.size, cloud.targets.size]).toEqual([0, 0, 0]);
  });

  test('what failed is told, and the next apply does it', async () => {
    for (const number of [1, 2, 3]) addInstance(cloud, number);
    const file = configFile();
    aws.fault = ({ operation, input }) =>
      operation === 'CreateTrafficMirrorSession' && input['NetworkInterfaceId'] === 'eni-00000000000000002' ? { code: 'InvalidParameterValue', message: 'AWS does not like it' } : null;
    const first = await run('apply', file, '--yes');
    expect(first.code).toBe(2);
    expect(first.stderr).toContain('not created: session on eni-00000000000000002: ec2:CreateTrafficMirrorSession was refused (InvalidParameterValue): AWS does not like it');
    expect(first.stderr).toMatch(/doubletake: 1 of 9 steps were not done, and the next apply tries them again: .*\[DT_AWS_REFUSED\]\n$/);
    aws.fault = () => null;
    expect(await run('apply', file, '--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('Done: 1 of 1 steps.') as string });
  });

  test('killed in the middle, the next apply ends it', async () => {
    for (let number = 0; number < 30; number++) addInstance(cloud, number);
    const file = configFile();
    let created = 0;
    const first = start('aws', 'apply', file, '--yes');
    aws.fault = ({ operation }) => {
      if (operation === 'CreateTrafficMirrorSession' && ++created === 10) first.child.kill('SIGKILL');
      return null;
    };
    await first.ended;
    const made = cloud.sessions.size;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(30);
    expect(await run('apply', file, '--yes')).toMatchObject({ code: 0 });
    expect([cloud.sessions.size, cloud.filters.size]).toEqual([30, 1]);
  });

  test('several regions and accounts, each with its own', async () => {
    const places = ['222222222222', '333333333333'].flatMap((account) => ['eu-central-1', 'us-east-1'].map((region) => aws.cloud(account, region)));
    for (const place of places) {
      addInstance(place, 1);
      place.targets.add('tmt-00000001', { TrafficMirrorTargetId: 'tmt-00000001', Type: 'network-load-balancer', NetworkLoadBalancerArn: 'arn:aws:elasticloadbalancing:x:999999999999:loadbalancer/net/a/b', Tags: [] });
    }
    const file = configFile({
      region: ['eu-central-1', 'us-east-1'],
      accounts: [{ role: 'arn:aws:iam::222222222222:role/doubletake' }, { role: 'arn:aws:iam::333333333333:role/doubletake', externalId: 'x' }],
      target: { mirrorTarget: { 'eu-central-1': 'tmt-00000001', 'us-east-1': 'tmt-00000001' } },
    });
    expect(await run('apply', file, '--yes')).toMatchObject({ code: 0 });
    expect(places.map(({ sessions }) => sessions.size)).toEqual([1, 1, 1, 1]);
    expect(aws.calls.filter(({ operation, input }) => operation === 'AssumeRole' && input['ExternalId'] === 'x').length).toBeGreaterThan(0);
    expect(await run('destroy', file, '--yes')).toMatchObject({ code: 0 });
    expect(places.map(({ sessions, targets }) => [sessions.size, targets.size])).toEqual([[0, 1], [0, 1], [0, 1], [0, 1]]);
  });

  test('services of ECS, by their tasks\' interfaces and by their hosts', async () => {
    const { links } = addInstance(cloud, 1, { tags: {} });
    addInstance(cloud, 2, { tags: {} });
    addInstance(cloud, 3, { tags: {} });
    cloud.tasks.set('shop own', [{ taskArn: 'a1', attachments: [{ type: 'ElasticNetworkInterface', details: [{ name: 'networkInterfaceId', value: links[0]?.NetworkInterfaceId }] }] }]);
    cloud.tasks.set('shop shared', Array.from({ length: 150 }, (_, index) => ({ taskArn: `b${index}`, containerInstanceArn: 'host' })));
    cloud.hosts.set('host', 'i-00000000000000002');
    const file = configFile({ sources: [{ ecsServices: [{ cluster: 'shop', service: 'own' }, { cluster: 'shop', service: 'shared' }] }] });
    expect(await run('apply', file, '--yes')).toMatchObject({ code: 0 });
    const mirrored = new Set(cloud.sessions.all().map(({ NetworkInterfaceId }) => NetworkInterfaceId));
    expect(mirrored).toEqual(new Set(['eni-00000000000000001', 'eni-00000000000000002']));
  });
});

describe('status', () => {
  test('shows what is mirrored and skipped, and what explains gaps', async () => {
    for (const number of [1, 2, 3]) addInstance(cloud, number, { tags: { app: 'shop', Name: `web-${number}` } });
    const file = configFile();
    await run('apply', file, '--yes');
    for (const [name, value] of Object.entries({ NetworkMirrorIn: 3e6, NetworkMirrorOut: 9e8, NetworkSkipMirrorIn: 0, NetworkSkipMirrorOut: 1e8 })) {
      cloud.metrics.set(`i-00000000000000001 ${name}`, value);
    }
    for (const name of ['NetworkMirrorIn', 'NetworkMirrorOut', 'NetworkSkipMirrorIn', 'NetworkSkipMirrorOut']) {
      cloud.metrics.set(`i-00000000000000002 ${name}`, 0);
      cloud.metrics.set(`i-00000000000000003 ${name}`, 0);
    }
    cloud.crossZone = false;
    cloud.listeners = [];
    const { code, stdout } = await run('status', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/3 sessions to arn:.*, behind it 1 of 1 mirrors healthy/);
    expect(stdout).toMatch(/eni-00000000000000001 +i-00000000000000001 +web-1 +3\.0 MB +900\.0 MB +100\.0 MB/);
    expect(stdout).toContain('  ! the load balancer has no UDP listener on port 4789');
    expect(stdout).toContain('  ! the load balancer does not send across zones');
    expect(stdout).toContain('  ! i-00000000000000001: 10.0 % of what should have been mirrored was skipped');
    expect(stdout).toContain('  ! i-00000000000000002 and 1 more: nothing was mirrored');
  });

  test('--json; and what the credentials may not see is a finding', async () => {
    addInstance(cloud, 1);
    const file = configFile();
    await run('apply', file, '--yes');
    aws.fault = ({ service }) => (service === 'cloudwatch' ? { code: 'AccessDeniedException', message: 'not authorized to perform: cloudwatch:GetMetricData because …' } : null);
    const { code, stdout } = await run('status', file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ scopes: [{ sessions: [{ interface: 'eni-00000000000000001', metrics: null }], pending: 0, findings: [{ text: expect.stringContaining('cloudwatch:GetMetricData') as string }] }] });
  });
});

describe('watching', () => {
  const sessions = (count: number): Promise<true> => eventually(`${count} sessions`, () => (cloud.sessions.size === count ? true : null));

  test('apply --watch follows instances by the clock, and warns once of what does not work', async () => {
    addInstance(cloud, 1);
    let failures = 1;
    aws.fault = ({ operation }) => (operation === 'CreateTrafficMirrorSession' && failures-- > 0 ? { code: 'InvalidParameterValue' } : null);
    const watch = start('aws', 'apply', configFile({ watch: { every: '50ms' } }), '--yes', '--watch');
    await eventually('the ready line', () => (watch.printed().includes('ready aws=111111111111/eu-central-1') ? true : null));
    expect(watch.printed()).toContain('doubletake: warning: 1 of 7 steps were not done');
    addInstance(cloud, 2);
    await sessions(2);
    const gone = cloud.instanceById.get('i-00000000000000001');
    if (gone !== undefined) gone.Tags = [];
    await sessions(1);
    aws.fault = ({ operation }) => (operation === 'DescribeInstances' ? { code: 'UnauthorizedOperation', status: 403 } : null);
    await eventually('the warning', () => (watch.printed().includes('ec2:DescribeInstances') ? true : null));
    const calls = aws.calls.length;
    await eventually('three more rounds', () => (aws.calls.slice(calls).filter(({ operation }) => operation === 'DescribeInstances').length >= 3 ? true : null));
    aws.fault = () => null;
    addInstance(cloud, 3);
    await sessions(2);
    watch.child.kill('SIGTERM');
    expect(await watch.ended).toBe(0);
    expect(watch.printed().match(/may not do ec2:DescribeInstances/g)).toHaveLength(1);
  });

  test('an event in the queue is followed at once, and taken off it', async () => {
    addInstance(cloud, 1);
    const watch = start('aws', 'apply', configFile({ watch: { every: '1h', queue: `${aws.url}/111111111111/changes` } }), '--yes', '--watch');
    await eventually('the first wait for events', () => (aws.calls.some(({ operation }) => operation === 'ReceiveMessage') ? true : null));
    removeInstance(cloud, 'i-00000000000000001');
    addInstance(cloud, 2);
    cloud.messages.push({ MessageId: 'm', ReceiptHandle: 'h', Body: '{"detail-type":"EC2 Instance State-change Notification"}' });
    await eventually('the session of the new instance', () => (cloud.sessions.all().some(({ NetworkInterfaceId }) => NetworkInterfaceId === 'eni-00000000000000002') ? true : null));
    expect(cloud.messages).toEqual([]);
    watch.child.kill('SIGINT');
    expect(await watch.ended).toBe(0);
  });

  test('a mirror with aws.watch keeps the sessions true itself, and stops at once though AWS does not answer', async () => {
    addInstance(cloud, 1);
    const target = await recordingTarget();
    const file = configFile({ watch: { every: '50ms' } }, { sources: [{ vxlan: { listen: '127.0.0.1:0', vni: [77], ports: [8080] } }], targets: [{ name: 't', url: target.url }] });
    const mirror = await startMirror([file]);
    await sessions(1);
    expect(cloud.sessions.all()[0]).toMatchObject({ VirtualNetworkId: 77 });
    aws.fault = () => ({ code: 'RequestLimitExceeded', status: 503 });
    const calls = aws.calls.length;
    await eventually('a call that is refused', () => (aws.calls.length > calls ? true : null));
    const { code, stdout, stderr } = await mirror.stop();
    output += stdout + stderr;
    expect(code).toBe(0);
    expect(stderr).toContain('create-session on eni-00000000000000001');
  });
});

test('nobody but `aws`, and a mirror with aws.watch, loads the SDK', async () => {
  const preload = join(folder, 'preload.mjs');
  writeFileSync(
    preload,
    `import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier.includes('@aws-sdk')) process.stderr.write('the SDK was asked for\\n');
      return next(specifier, context);
    } });`,
  );
  const file = configFile({}, { sources: [{ vxlan: {} }], targets: [{ name: 't', url: 'http://test.internal' }] });
  const asked = async (...args: string[]): Promise<boolean> => {
    const child = spawn(process.execPath, ['--import', preload, program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let printed = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
    await new Promise((resolve) => child.once('close', resolve));
    return printed.includes('the SDK was asked for');
  };
  expect(await asked('config', 'check', file)).toBe(false);
  expect(await asked('aws', 'cost', '--sessions', '1', '--traffic', '1MB')).toBe(false);
  expect(await asked('aws', 'policy', file)).toBe(false);
  expect(await asked('aws', 'plan', file)).toBe(true);
});

test('cost reckons without AWS; policy allows what the commands call', async () => {
  const priced = await run('cost', '--sessions', '50', '--traffic', '20MB', '--zones', '2', '--json');
  expect(JSON.parse(priced.stdout)).toMatchObject({ currency: 'USD', lines: [{ what: 'sessions', dollars: 547.5 }, {}, {}, {}] });
  expect(await run('cost')).toMatchObject({ code: 2 });
  const file = configFile({ watch: { queue: 'https://sqs.eu-central-1.amazonaws.com/111111111111/changes' } });
  const policy = JSON.parse((await run('policy', file)).stdout) as { Statement: { Action: string[]; Resource: unknown }[] };
  const allowed = new Set(policy.Statement.flatMap(({ Action }) => Action));
  expect(policy.Statement.at(-1)).toMatchObject({ Resource: 'arn:aws:sqs:eu-central-1:111111111111:changes' });
  const called = readFileSync(new URL('../src/aws/step.ts', import.meta.url), 'utf8').matchAll(/'(\w+TrafficMirror\w+)'/g);
  for (const [, operation] of called) expect(allowed).toContain(`ec2:${operation}`);
  expect(aws.calls).toEqual([]);
});
