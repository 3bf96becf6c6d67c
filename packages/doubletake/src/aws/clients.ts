/**
 * The SDK's clients for a region of an account. They are loaded here alone, when AWS is asked for the first time: endpoints
 * (AWS_ENDPOINT_URL…), profiles and credentials are the SDK's own business.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudWatch } from '@aws-sdk/client-cloudwatch';
import type { EC2 } from '@aws-sdk/client-ec2';
import type { ECS } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SQS } from '@aws-sdk/client-sqs';
import type { STS } from '@aws-sdk/client-sts';
import type { AwsConfig } from '../config/aws-config.ts';
import { DoubletakeError } from '../errors.ts';
import { callError } from './call-error.ts';
import { type Backoff, withRetries } from './retry.ts';

interface Clients {
  ec2: EC2;
  elasticloadbalancing: ElasticLoadBalancingV2;
  ecs: ECS;
  cloudwatch: CloudWatch;
  sqs: SQS;
}

export type Service = keyof Clients;

interface Settings {
  region?: string;
  maxAttempts: number;
  credentials?: () => Promise<AssumedCredentials>;
}

/** Each package is loaded when its service is asked for the first time: together they take half a second. */
const open: { [S in Service]: (settings: Settings) => Promise<Clients[S]> } = {
  ec2: async (settings) => new (await import('@aws-sdk/client-ec2')).EC2(settings),
  elasticloadbalancing: async (settings) => new (await import('@aws-sdk/client-elastic-load-balancing-v2')).ElasticLoadBalancingV2(settings),
  ecs: async (settings) => new (await import('@aws-sdk/client-ecs')).ECS(settings),
  cloudwatch: async (settings) => new (await import('@aws-sdk/client-cloudwatch')).CloudWatch(settings),
  sqs: async (settings) => new (await import('@aws-sdk/client-sqs')).SQS(settings),
};

/** A region of an account, and how it is called. */
export interface Scope {
  account: string;
  region: string;
  /**
   * Calls an operation of a service, again where AWS was too busy. Rejects with a `DoubletakeError` that says what was
   * asked and why it was refused.
   */
  call<S extends Service, T>(service: S, operation: string, send: (client: Clients[S], options: CallOptions) => Promise<T>): Promise<T>;
  /** The same once, with AWS's own error. */
  callOnce<S extends Service, T>(service: S, send: (client: Clients[S], options: CallOptions) => Promise<T>): Promise<T>;
}

interface AssumedCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

interface CallOptions {
  abortSignal: AbortSignal;
}

/** A call takes no longer; one that waits for messages takes 20 s. */
const callMsMax = 60_000;

/** Waits 0.2 s, 0.4 s … 20 s, each less what chance takes: about two minutes in all. */
export const usualBackoff: Backoff = {
  attemptsMax: 12,
  firstMs: 200,
  mostMs: 20_000,
  random: Math.random,
  sleep: (ms, signal) => sleep(ms, undefined, signal === null ? {} : { signal }),
};

export interface Calling {
  backoff: Backoff;
  /** Ends calls and waits at once; null where nothing does. */
  signal: AbortSignal | null;
  /** Hears of a call that has failed in passing for some seconds and is made again. */
  waiting?: (text: string) => void;
}

/** Shorter waits are nobody's business. */
const toldFromAttempt = 4;

/** A scope for each account and region that the configuration names. Rejects with a `DoubletakeError`. */
export async function openScopes(
  { accounts, regions, name }: Pick<AwsConfig, 'accounts' | 'regions' | 'name'>,
  calling: Calling = { backoff: usualBackoff, signal: null },
): Promise<Scope[]> {
  const roles = accounts.length === 0 ? [null] : accounts;
  const places = regions.length === 0 ? [null] : regions;
  return Promise.all(roles.flatMap((role) => places.map((region) => openScope(role, region, name, calling))));
}

async function openScope(role: AwsConfig['accounts'][number] | null, region: string | null, name: string, calling: Calling): Promise<Scope> {
  const { STS: Sts } = await import('@aws-sdk/client-sts');
  // We call again ourselves, for longer than the SDK does.
  const usual = { ...(region === null ? {} : { region }), maxAttempts: 1, requestHandler: { connectionTimeout: 10_000 } };
  const assumed = role === null ? {} : { credentials: () => assume(new Sts(usual), role, name) };
  const settings = { ...usual, ...assumed };
  const clients = new Map<Service, Promise<Clients[Service]>>();
  const client = <S extends Service>(service: S): Promise<Clients[S]> => {
    const opened = clients.get(service) ?? open[service](settings);
    clients.set(service, opened);
    return opened as Promise<Clients[S]>;
  };
  const { backoff, signal } = calling;
  const retrying = (what: string): Parameters<typeof withRetries>[1] => ({
    backoff,
    signal,
    waiting: ({ message }, attempt) => {
      if (attempt >= toldFromAttempt) calling.waiting?.(`${what}: ${message}; trying again (${attempt + 1} of ${backoff.attemptsMax})`);
    },
  });
  const options = (): CallOptions => {
    const late = AbortSignal.timeout(callMsMax);
    return { abortSignal: signal === null ? late : AbortSignal.any([late, signal]) };
  };
  const identity = new Sts(settings);
  await identity.config.region().catch((error: unknown) => {
    throw new DoubletakeError('DT_USAGE', 'there is no region: name it in the configuration (aws.region), or set AWS_REGION', { cause: error });
  });
  const whoAmI = async (): Promise<{ account: string; region: string }> => {
    const { Account: account = '' } = await identity.getCallerIdentity({}, options());
    return { account, region: await identity.config.region() };
  };
  const where = await withRetries(whoAmI, retrying('sts:GetCallerIdentity')).catch((error: unknown) => {
    throw callError('sts:GetCallerIdentity', error);
  });
  return {
    ...where,
    call: (service, operation, send) =>
      withRetries(async () => send(await client(service), options()), retrying(`${service}:${operation}`)).catch((error: unknown) => {
        throw callError(`${service}:${operation}`, error);
      }),
    callOnce: async (service, send) => send(await client(service), options()),
  };
}

/** Credentials of a role; the SDK asks for new ones before they expire. */
async function assume(sts: STS, { role, externalId }: AwsConfig['accounts'][number], name: string): Promise<AssumedCredentials> {
  const { Credentials: given } = await sts.assumeRole(
    { RoleArn: role, RoleSessionName: `doubletake-${name}`.slice(0, 64), ...(externalId === undefined ? {} : { ExternalId: externalId }) },
    { abortSignal: AbortSignal.timeout(callMsMax) },
  );
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    ...(given?.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
    ...(given?.Expiration === undefined ? {} : { expiration: given.Expiration }),
  };
}
