import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pcapFile } from './support/capture-files.ts';
import { parseTemplate, resourcesOf, userDataOf } from './support/cloudformation.ts';
import { type ConversationPacket, conversation } from './support/conversation.ts';
import { secret, startInstance, type Started } from './support/instance.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';

const packageFolder = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'doubletake-package-'));
const installed = join(folder, 'installed');
/** The same without the package that calls libc. */
const withoutKoffi = join(folder, 'without-koffi');
/** A preload: another system, on which nobody may ask for koffi. */
const elsewhere = join(folder, 'elsewhere.mjs');
const capture = join(folder, 'capture.pcap');

/**
 * The packed package, whose dependencies are those of `installed`: where it is installed below that folder, Node finds
 * them, and npm, which has fetched them once, need not again.
 */
const release = join(folder, 'doubletake-release.tgz');

let problem: string | null = null;

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--pack-destination', folder], packageFolder);
  if (packed.code !== 0) throw new Error(`npm pack: ${packed.stderr}`);
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '');
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), '{ "private": true }');
  const quick = ['--fetch-retries', '1', '--fetch-retry-mintimeout', '500', '--fetch-timeout', '30000'];
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=dev', ...quick];
  const install = await run('npm', ['install', ...flags, tarball], installed);
  if (install.code !== 0) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(install.stderr)) throw new Error(install.stderr);
    problem = 'the npm registry is out of reach, so that the dependencies cannot be installed';
    process.stderr.write(`skipped: the packed package is not tested: ${problem}\n`);
    return;
  }
  linkWithoutKoffi();
  await packRelease();
  writeFileSync(
    elsewhere,
    `import { registerHooks } from 'node:module';
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.includes('koffi')) process.stderr.write('koffi was asked for\\n');
        return next(specifier, context);
      },
    });`,
  );
  writeFileSync(capture, pcapFile(request('/captured')));
}, 240_000);

beforeEach((context) => context.skip(problem !== null, problem ?? ''));
afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

/** A copy of the package beside links to what it depends on. */
function linkWithoutKoffi(): void {
  const [from, to] = [join(installed, 'node_modules'), join(withoutKoffi, 'node_modules')];
  mkdirSync(to, { recursive: true });
  cpSync(join(from, 'doubletake'), join(to, 'doubletake'), { recursive: true });
  for (const name of readdirSync(from)) {
    if (!['doubletake', 'koffi', '@koromix'].includes(name)) symlinkSync(join(from, name), join(to, name));
  }
}

async function packRelease(): Promise<void> {
  const unpacked = join(folder, 'release');
  cpSync(join(installed, 'node_modules/doubletake'), join(unpacked, 'package'), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package/package.json'), 'utf8')) as object;
  writeFileSync(join(unpacked, 'package/package.json'), JSON.stringify({ ...manifest, dependencies: {} }));
  const packed = await run('tar', ['-czf', release, '-C', unpacked, 'package']);
  if (packed.code !== 0) throw new Error(`tar: ${packed.stderr}`);
}

function request(path: string): ConversationPacket[] {
  return conversation({}, [
    { client: `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n` },
    { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
  ]);
}

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: readonly string[], cwd = folder): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function program(where: string, ...nodeFlags: string[]): string[] {
  return [process.execPath, ...nodeFlags, join(where, 'node_modules/doubletake/bin/doubletake.js')];
}

/** Runs an installed command to its end. */
function doubletake([node = '', ...flags]: string[], ...args: string[]): Promise<Ended> {
  return run(node, [...flags, ...args]);
}

/** Mirrors one request with an installed command; what it printed on standard error. */
async function mirrorOne(command: readonly string[], ...flags: string[]): Promise<string> {
  const target = await recordingTarget();
  const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url, ...flags], { command });
  await mirror.send(request('/mirrored'));
  const [received] = await target.received(1);
  expect(received?.head).toMatch(/^GET \/mirrored HTTP\/1\.1\r\n/);
  const { code, stderr, ledger } = await mirror.stop();
  expect(code).toBe(0);
  expect(ledger).toMatchObject({ captured: 1, outcomes: { replayed: 1 } });
  return stderr;
}

describe('the packed package in an empty folder', () => {
  test('tells its version, and brings its licence and what it is', async () => {
    const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
    expect(await doubletake(program(installed), '--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
    for (const file of ['LICENSE', 'README.md']) {
      expect(readFileSync(join(installed, 'node_modules/doubletake', file), 'utf8').length).toBeGreaterThan(100);
    }
  });

  test('inspects a capture', async () => {
    const { code, stdout, stderr } = await doubletake(program(installed), 'inspect', capture, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ request: { target: '/captured' }, response: { status: 200 } });
  });

  test('mirrors, with two workers', async () => {
    await mirrorOne(program(installed), '--workers', '2');
  });
});

describe('where koffi is not there', () => {
  test('everything that needs no libc works', async () => {
    expect(await doubletake(program(withoutKoffi), '--help')).toMatchObject({ code: 0, stderr: '' });
    expect(await doubletake(program(withoutKoffi), 'inspect', capture, '--summary')).toMatchObject({ code: 0, stderr: '' });
  });

  test('mirror falls back to dgram, with one warning that says what is lost', async () => {
    const lines = (await mirrorOne(program(withoutKoffi))).trimEnd().split('\n');
    const warnings = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { level: number; msg: string });
    expect(warnings[0]).toMatchObject({ level: 40, msg: expect.stringMatching(/^receiving through Node's dgram \(.*\): .*$/) as string });
    expect(warnings.slice(1).filter(({ msg }) => !msg.includes('buffer'))).toEqual([]);
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual([expect.stringMatching(/^ready vxlan=127\.0\.0\.1:\d+$/)]);
  });

  test('capture on an interface is refused with one line', async () => {
    const target = await recordingTarget();
    const line = /^doubletake: capturing on an interface is not possible here: .*koffi.* \[DT_SOURCE_UNAVAILABLE\]\n$/;
    for (const args of [
      ['mirror', '--interface', 'lo', '--target', target.url],
      ['tap', '--interface', 'lo', '--to', '127.0.0.1', '--vni', '1'],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, on a busy machine
      const { code, stderr } = await doubletake(program(withoutKoffi), ...args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(line) as string });
    }
  });

  test('several workers are one that receives, and that is said', async () => {
    expect(await mirrorOne(program(withoutKoffi), '--workers', '2')).toContain('one of the 2 workers has it');
  });
});

describe('an instance of the CloudFormation stack', () => {
  beforeEach((context) => context.skip(process.platform !== 'linux', 'the script is for Linux'));

  const given = {
    HandlerVpcId: 'vpc-0123456789abcdef0',
    HandlerSubnetIds: ['subnet-0123456789abcdef0'],
    MirrorSourceCidrBlock: '10.1.0.0/16',
    TrafficMirroringVNI: 7,
  };

  let template = '';
  let registry = '';
  beforeAll(async () => {
    if (problem !== null) return;
    template = (await doubletake(program(installed), 'generate', 'cloudformation')).stdout;
    registry = (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
  });

  async function instance(
    name: string,
    parameters: Record<string, string>,
    { installs = false, refuses = false } = {},
  ): Promise<{ started: Started; root: string }> {
    const resources = resourcesOf(parseTemplate(template), { ...given, NpmRegistry: registry, ...parameters });
    const machine = join(installed, name);
    const started = await startInstance(userDataOf(resources), machine, { tarball: release, installs });
    if (!refuses && started.code !== 0) throw new Error(started.stderr);
    return { started, root: join(machine, 'root') };
  }

  test('installs the release, and its unit starts a mirror that makes requests safe', async () => {
    const target = await recordingTarget();
    const { started, root } = await instance('instance', { RequestsForwardDestination: target.url }, { installs: true });
    expect(started.calls).toEqual([
      'dnf install --assumeyes --quiet aws-cfn-bootstrap awscli-2 amazon-cloudwatch-agent logrotate nodejs24 nodejs24-npm',
      'useradd --system --home-dir /var/lib/doubletake --shell /sbin/nologin doubletake',
      `chgrp doubletake ${root}/etc/doubletake/mirror.yaml`,
      `amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:${root}/opt/aws/amazon-cloudwatch-agent/etc/doubletake.json`,
      'sysctl --quiet --system',
      'systemctl daemon-reload',
      'systemctl enable --now logrotate.timer doubletake.service',
      expect.stringMatching(/^curl .* http:\/\/127\.0\.0\.1:8080\/healthz$/) as string,
      'cfn-signal --exit-code 0 --stack mirror --resource InstancesGroup --region eu-central-1',
    ]);
    const agent = JSON.parse(started.file('/opt/aws/amazon-cloudwatch-agent/etc/doubletake.json') ?? '') as object;
    expect(agent).toMatchObject({ logs: { logs_collected: { files: { collect_list: [{ log_group_name: 'LogGroup' }, {}] } } } });

    const check = await doubletake(['env', `DOUBLETAKE_KEY=${secret}`, ...program(installed)], 'config', 'check', join(root, 'etc/doubletake/mirror.yaml'));
    expect(check).toMatchObject({ code: 0, stderr: '' });

    // As systemd would: the environment from its file, then the command, here with ports of the kernel's choosing.
    const unit = started.file('/etc/systemd/system/doubletake.service') ?? '';
    const [node, script, ...args] = (/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '').split(' ');
    expect([node, args]).toEqual(['/usr/bin/node-24', ['mirror', '/etc/doubletake/mirror.yaml']]);
    const environment = (started.file('/etc/doubletake/environment') ?? '').trimEnd();
    const mirror = await startMirror([join(root, '/etc/doubletake/mirror.yaml'), '--vxlan', '127.0.0.1:0', '--health', '127.0.0.1:0'], {
      command: ['env', environment, process.execPath, root + script],
    });
    const packets = conversation({}, [{ client: 'GET /mirrored HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer real-token-of-a-person\r\n\r\n' }]);
    await mirror.send(packets, 7);
    const [received] = await target.received(1);
    expect(received?.head).toMatch(/^GET \/mirrored HTTP\/1\.1\r\n/);
    expect(received?.head).toMatch(/^Authorization: Bearer /m);
    expect(received?.head).not.toContain('real-token-of-a-person');
    expect((await mirror.stop()).code).toBe(0);
  });

  test('takes a configuration and a release of one\'s own', async () => {
    mkdirSync(join(installed, 'own'));
    writeFileSync(join(installed, 'own/parameter'), 'sources: [{ vxlan: {} }]\n');
    const digest = createHash('sha256').update(readFileSync(release)).digest('hex');
    const { started } = await instance('own', {
      RequestsForwardDestination: 'http://test.internal',
      ConfigurationParameter: '/mirror/configuration',
      ReleaseObject: 'releases/doubletake.tgz',
      ReleaseSha256: digest,
      Sanitize: 'false',
    });
    expect(started.file('/etc/doubletake/mirror.yaml')).toBe('sources: [{ vxlan: {} }]\n');
    expect(started.file('/etc/doubletake/environment')).toBe('');
    expect(started.calls).toContain('npm-24 install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error ./release.tgz');
  });

  test('refuses another package than the one that was meant, and tells the stack', async () => {
    const { started } = await instance('forged', { RequestsForwardDestination: 'http://test.internal', ReleaseSha256: '0'.repeat(64) }, { refuses: true });
    expect(started.code).not.toBe(0);
    expect(started.stderr).toContain('checksum did NOT match');
    expect(started.calls.at(-1)).toBe('cfn-signal --exit-code 1 --stack mirror --resource InstancesGroup --region eu-central-1');
    expect(started.calls.join('\n')).not.toMatch(/npm-24|systemctl/);
  });
});

describe('the image', () => {
  const deploy = fileURLToPath(new URL('../../../deploy/', import.meta.url));
  /** Instructions with their continuation lines, without comments. */
  const instructions = readFileSync(join(deploy, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => (/^([A-Z]+) (.*)$/.exec(line) === null ? [] : [[line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const]));
  const all = (name: string): string[] => instructions.filter(([instruction]) => instruction === name).map(([, text]) => text);

  test('is built for a user without rights on a base without a shell, from the version of this package', () => {
    expect(instructions.map(([name]) => name).join(' ')).toBe('FROM ARG WORKDIR COPY RUN FROM COPY WORKDIR EXPOSE ENTRYPOINT CMD');
    expect(all('FROM')).toEqual(['node:24-bookworm-slim AS build', 'gcr.io/distroless/nodejs24-debian12:nonroot']);
    const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
    expect(all('ARG')).toEqual([`PACKAGE=doubletake@${version}`]);
    const named = readFileSync(join(deploy, 'Dockerfile'), 'utf8').match(/(?<=doubletake[@:-])\d[\d.]*\d/g);
    expect(new Set(named)).toEqual(new Set([version]));
  });

  test('its build step installs the package, which its entry point starts', async () => {
    const root = join(installed, 'image');
    const [workFolder = ''] = all('WORKDIR');
    const build = root + workFolder;
    mkdirSync(build, { recursive: true });
    cpSync(release, join(build, basename(release)));
    cpSync(join(deploy, 'Dockerfile'), join(build, 'Dockerfile'));
    const path = `PATH=${dirname(process.execPath)}:${process.env['PATH']}`;
    const steps = await run('env', [path, `PACKAGE=./${basename(release)}`, 'npm_config_prefer_offline=true', 'sh', '-ec', all('RUN').join('\n')], build);
    if (steps.code !== 0) throw new Error(steps.stderr);
    expect(readdirSync(build).toSorted()).toEqual(['node_modules', 'package-lock.json', 'package.json']);
    const [node, script] = JSON.parse(all('ENTRYPOINT')[0] ?? '[]') as string[];
    expect(node).toBe('/nodejs/bin/node');
    expect(await doubletake([process.execPath, root + script], ...(JSON.parse(all('CMD')[0] ?? '[]') as string[]))).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('on another system', () => {
  const there = (): string[] => program(installed, '--import', elsewhere);

  test('nothing asks for koffi', async () => {
    expect(await doubletake(there(), '--help')).toMatchObject({ code: 0, stderr: '' });
    expect(await doubletake(there(), 'inspect', capture, '--summary')).toMatchObject({ code: 0, stderr: '' });
    const said = await mirrorOne(there());
    expect(said).not.toContain('koffi was asked for');
    expect(said).toContain('needs Linux (this is darwin)');
  });
});
