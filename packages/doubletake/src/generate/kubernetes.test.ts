import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DaemonSet, Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { ConfigMap, Container, Namespace, Service } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { folderWith } from '../../test/support/proxies.ts';
import { ConfigDocument } from '../config/document.ts';
import { buildConfig } from '../config/load.ts';
import { mirrorManifests } from './kubernetes.ts';
import { tapManifests } from './kubernetes-tap.ts';

const common = { namespace: 'doubletake', image: 'doubletake:0.1.0', vni: 7, ports: [80, 8080] };
const options = { ...common, target: 'http://candidate.shop.svc:8080/base', podMonitor: false };
const mirror = mirrorManifests(options);
const tap = tapManifests({ ...common, interfaceName: 'any', to: 'doubletake.doubletake.svc:4789' });
const modules = new URL('../../../../node_modules', import.meta.url);

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { namespace?: string; name: string };
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

interface Kinds {
  ConfigMap: ConfigMap;
  DaemonSet: DaemonSet;
  Deployment: Deployment;
  Namespace: Namespace;
  Service: Service;
}

function find<Kind extends keyof Kinds>(text: string, kind: Kind): Kinds[Kind] {
  const found: unknown = manifestsIn(text).find((manifest) => manifest.kind === kind);
  return found as Kinds[Kind];
}

/**
 * What the compiler finds in manifests as objects of the types that were made of the published schema: unknown fields,
 * missing ones, wrong types.
 */
function problemsOf(text: string): string {
  const module = (apiVersion: string): string => (apiVersion === 'v1' ? 'core/v1' : apiVersion.replace('.k8s.io', ''));
  const lines = manifestsIn(text).map(
    (manifest, index) => `export const m${index}: import('kubernetes-types/${module(manifest.apiVersion)}').${manifest.kind} = ${JSON.stringify(manifest)};`,
  );
  const folder = folderWith({ 'manifests.ts': lines.join('\n') });
  symlinkSync(modules, join(folder, 'node_modules'));
  const compiler = join(fileURLToPath(modules), '.bin/tsc');
  try {
    execFileSync(compiler, ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--types', '', 'manifests.ts'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
  }
}

test('the manifests', async () => {
  await expect(mirror).toMatchFileSnapshot('../../../../deploy/kubernetes/mirror.yaml');
  await expect(tap).toMatchFileSnapshot('../../../../deploy/kubernetes/tap.yaml');
});

describe('the published schema', () => {
  test('has nothing against them', () => {
    expect(problemsOf(`${mirror}---\n${tap}`)).toBe('');
  });

  test.each([
    ['a field that does not exist', 'readOnlyRootFilesystem: true', 'readOnlyRootFileSystem: true', '"readOnlyRootFileSystem"\' does not exist'],
    ['a value of the wrong type', 'replicas: 1', 'replicas: one', "Type 'string' is not assignable to type 'number'"],
    ['a required field that is missing', '- name: mirror\n          image', '- image', "Property 'name' is missing"],
  ])('would find %s', (_, right, wrong, problem) => {
    expect(mirror).toContain(right);
    expect(problemsOf(mirror.replace(right, wrong))).toContain(problem);
  });
});

test('the mirror\'s configuration is one', () => {
  const { data } = find(mirror, 'ConfigMap');
  const document = new ConfigDocument('mirror.yaml', data?.['mirror.yaml'] ?? '', { DOUBLETAKE_KEY: 'k'.repeat(64) });
  expect(buildConfig(document, [])).toMatchObject({
    sources: [{ vxlan: { listen: { port: 4789 }, vni: [7], ports: [80, 8080] } }, { httpSink: { listen: { port: 8090 } } }],
    policy: { methods: 'safe', sanitize: { presets: ['auth', 'pii', 'payment'] } },
    targets: [{ url: 'http://candidate.shop.svc:8080/base' }],
    health: { port: 8080 },
  });
});

test('ports, probes, Service and configuration mean the same', () => {
  const [container] = containersOf(find(mirror, 'Deployment'));
  const ports = Object.fromEntries((container?.ports ?? []).map(({ name, containerPort, protocol }) => [name, [containerPort, protocol]]));
  expect(ports).toEqual({ vxlan: [4789, 'UDP'], sink: [8090, 'TCP'], health: [8080, 'TCP'] });
  for (const probe of [container?.startupProbe, container?.readinessProbe, container?.livenessProbe]) {
    expect(probe?.httpGet).toEqual({ path: '/healthz', port: 'health' });
  }
  const service = find(mirror, 'Service');
  expect(service.spec?.selector).toEqual(find(mirror, 'Deployment').spec?.template.metadata?.labels);
  expect(service.spec?.ports?.map(({ port, targetPort, protocol }) => [port, targetPort, protocol])).toEqual([
    [4789, 'vxlan', 'UDP'],
    [8090, 'sink', 'TCP'],
  ]);
});

describe('Pod Security Standards', () => {
  test('the mirror fulfils the restricted one, which its namespace enforces', () => {
    expect(find(mirror, 'Namespace').metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const pod = find(mirror, 'Deployment').spec?.template.spec;
    expect(pod).not.toHaveProperty('hostNetwork');
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod?.volumes?.map((volume) => Object.keys(volume))).toEqual([['name', 'configMap']]);
    for (const { securityContext } of containersOf(find(mirror, 'Deployment'))) {
      expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
    }
  });

  test('a tap has NET_RAW, the host\'s network and nothing else, in a namespace of its own', () => {
    const pod = find(tap, 'DaemonSet').spec?.template.spec;
    expect(pod).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet', automountServiceAccountToken: false });
    expect(pod).not.toHaveProperty('volumes');
    for (const { securityContext } of containersOf(find(tap, 'DaemonSet'))) {
      expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } });
    }
    expect(new Set(manifestsIn(tap).map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace)))).toEqual(new Set(['doubletake-tap']));
  });
});

test('a PodMonitor asks the mirror\'s pods, with fields that its definition has', () => {
  const text = mirrorManifests({ ...options, podMonitor: true });
  expect(text.startsWith(`${mirror}---\n`)).toBe(true);
  const [monitor] = manifestsIn(text.slice(mirror.length + '---\n'.length)) as (Manifest & { spec: Record<string, unknown> })[];
  expect(monitor).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor', metadata: { namespace: 'doubletake' } });
  // prometheus-operator pkg/apis/monitoring/v1: PodMonitorSpec and PodMetricsEndpoint, the fields used.
  expect(monitor?.spec).toEqual({
    selector: { matchLabels: find(mirror, 'Deployment').spec?.template.metadata?.labels },
    podMetricsEndpoints: [{ port: 'health', path: '/metrics', interval: '15s' }],
  });
});

test('a tap sends what the mirror takes', () => {
  const [{ args } = { args: [] }] = containersOf(find(tap, 'DaemonSet'));
  expect(args).toEqual(['tap', '--interface', 'any', '--to', 'doubletake.doubletake.svc:4789', '--vni', '7', '--port', '80', '--port', '8080']);
  const { metadata } = find(mirror, 'Service');
  expect(args?.[4]).toBe(`${metadata?.name}.${metadata?.namespace}.svc:4789`);
});

function containersOf({ spec }: Deployment | DaemonSet): Container[] {
  return spec?.template.spec?.containers ?? [];
}
