/** The configurations that can be generated, by name. */
import { apisixConfig } from './apisix.ts';
import { envoyConfig } from './envoy.ts';
import { gatewayApiConfig } from './gateway-api.ts';
import { haproxyConfig } from './haproxy.ts';
import { istioConfig } from './istio.ts';
import { nginxConfig } from './nginx.ts';
import type { CopyOptions } from './options.ts';
import { traefikConfig } from './traefik.ts';

export const generators = {
  nginx: nginxConfig,
  envoy: envoyConfig,
  istio: istioConfig,
  'gateway-api': gatewayApiConfig,
  traefik: traefikConfig,
  apisix: apisixConfig,
  haproxy: haproxyConfig,
} as const satisfies Record<string, (options: CopyOptions) => string>;

export type ProxyKind = keyof typeof generators;
export const proxyKinds = Object.keys(generators) as ProxyKind[];
