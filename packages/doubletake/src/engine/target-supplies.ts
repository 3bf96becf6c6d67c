/** What the workers need for the targets of a configuration, made where everything that can go wrong with them is tried. */
import { isDeepStrictEqual } from 'node:util';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import type { ProductionServers } from '../policy/production-servers.ts';
import type { TargetSupplies } from './messages.ts';
import { refuseProductionNames } from './production.ts';
import { openSanitizers } from './sanitizing.ts';
import { checkTarget, createRateLimit, openTargetRewriter, readAuthority } from './targets.ts';

/** What is known beside the configuration. */
export interface TargetChecks {
  /** Targets that were checked before, and are not again while they are the same. */
  present: readonly TargetConfig[];
  /** Production's servers as they are listed, and all that are known by their addresses. */
  guards: MirrorConfig['guards'];
  production: ProductionServers;
}

/** Tries everything in a policy and its targets that can go wrong, so that nothing does in the workers; rejects with a `DoubletakeError`. */
export async function prepareTargets(
  { policy, targets }: Pick<MirrorConfig, 'policy' | 'targets'>,
  { present, guards, production }: TargetChecks,
): Promise<Omit<TargetSupplies, 'shares'>> {
  openSanitizers(policy, targets);
  targets.forEach((target) => openTargetRewriter(target, 0, policy.trustedProxies));
  refuseProductionNames(guards, targets);
  const authorities = targets.map(readAuthority);
  await Promise.all(
    targets.map(async (target, position) => {
      if (present.some((known) => isDeepStrictEqual(known, target))) return;
      await checkTarget(target, authorities[position] ?? null, production);
    }),
  );
  return { authorities, rateLimits: targets.map(createRateLimit) };
}
