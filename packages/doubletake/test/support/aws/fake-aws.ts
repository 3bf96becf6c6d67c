/**
 * AWS for tests: a local HTTP endpoint that speaks the protocols of the SDK's services, holds every request against the
 * SDK's own model, keeps state for each account and region, and fails as it is told to.
 *
 *     const aws = await startFakeAws();
 *     addInstance(aws.cloud(), 1);
 *     aws.fault = ({ operation }) => operation === 'CreateTrafficMirrorSession' ? { code: 'RequestLimitExceeded', status: 503 } : null;
 *     await aws.stop();
 *
 * While it runs, the process's environment leads the SDK to it, also in programs that it starts.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsFault, FakeCloud } from './cloud.ts';
import { ec2Operations } from './ec2-operations.ts';
import { checkJsonInput } from './json-input.ts';
import { otherOperations } from './other-operations.ts';
import { readQueryInput } from './query-input.ts';
import { type FakeService, type OperationModel, operationModel, WrongParameter } from './sdk-model.ts';
import { escaped, writeXml } from './xml-output.ts';

export interface Call {
  service: FakeService;
  operation: string;
  input: Record<string, unknown>;
  account: string;
  region: string;
}

export type Fault =
  | { code: string; message?: string; status?: number }
  /** The call is done, but its answer is lost on the way. */
  | { lost: true };

export const testCredentials = { AWS_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST', AWS_SECRET_ACCESS_KEY: 'the-secret-that-nobody-may-see/0123456789' };
/** What roles are given: their account is in the key's id. */
export const assumedSecret = 'the-secret-of-a-role-that-nobody-may-see/987654321';
export const ownAccount = '111111111111';
export const ownRegion = 'eu-central-1';

const jsonServices: Readonly<Record<string, FakeService>> = {
  AmazonEC2ContainerServiceV20141113: 'ecs',
  GraniteServiceVersion20100801: 'cloudwatch',
  AmazonSQS: 'sqs',
};
const queryVersions: Readonly<Record<string, FakeService>> = { '2016-11-15': 'ec2', '2015-12-01': 'elasticloadbalancing', '2011-06-15': 'sts' };

export class FakeAws {
  readonly calls: Call[] = [];
  fault: (call: Call) => Fault | null = () => null;
  /** Of what the SDK's model does not know. */
  readonly #mistakes: string[] = [];
  readonly url: string;
  readonly #clouds = new Map<string, FakeCloud>();
  readonly #close: () => Promise<void>;

  constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  cloud(account = ownAccount, region = ownRegion): FakeCloud {
    const key = `${account} ${region}`;
    const cloud = this.#clouds.get(key) ?? new FakeCloud(account, region);
    this.#clouds.set(key, cloud);
    return cloud;
  }

  /** The calls that change something, since the last time this was asked. */
  changes(): Call[] {
    return this.calls.splice(0).filter(({ operation }) => /^(?:Create|Modify|Delete)Traffic/.test(operation));
  }

  /** Rejects when it was ever asked what the SDK's model does not know. */
  async stop(): Promise<void> {
    await this.#close();
    if (this.#mistakes.length > 0) throw new Error(`AWS was asked for what it does not know:\n${this.#mistakes.join('\n')}`);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const target = request.headers['x-amz-target'];
    const [account, region] = scopeOf(request);
    const cloud = this.cloud(account, region);
    const [prefix = '', jsonOperation = ''] = typeof target === 'string' ? target.split('.') : [];
    const json = jsonServices[prefix];
    const form = new URLSearchParams(body);
    const service = json ?? queryVersions[form.get('Version') ?? ''] ?? 'ec2';
    const operation = json === undefined ? (form.get('Action') ?? '') : jsonOperation;
    const reply = json === undefined ? replyXml : replyJson;
    try {
      const model = operationModel(service, operation);
      if (model === null) throw new WrongParameter('InvalidAction', `${service} has no operation ${operation}`);
      const input = json === undefined ? readQueryInput(form, model.input, service === 'ec2') : readJson(body, model);
      const call: Call = { service, operation, input, account, region };
      this.calls.push(call);
      cloud.calls++;
      const fault = this.fault(call);
      if (fault !== null && 'code' in fault) throw new AwsFault(fault.code, fault.message ?? 'injected', fault.status);
      const answer = await this.#do(call, cloud);
      if (fault !== null) request.socket.destroy();
      else reply(response, service, operation, answer, model);
    } catch (error) {
      this.#replyError(response, service, json !== undefined, error);
    }
  }

  #replyError(response: ServerResponse, service: FakeService, json: boolean, error: unknown): void {
    if (!(error instanceof AwsFault)) this.#mistakes.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const { code, message } = error instanceof AwsFault || error instanceof WrongParameter ? error : { code: 'InvalidParameterValue', message: String(error) };
    const status = error instanceof AwsFault ? error.status : 400;
    if (json) {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', connection: 'keep-alive' }).end(JSON.stringify({ __type: code, message }));
      return;
    }
    const inner = `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
    const body = service === 'ec2' ? `<Response><Errors>${inner}</Errors><RequestID>r</RequestID></Response>` : `<ErrorResponse>${inner}<RequestId>r</RequestId></ErrorResponse>`;
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  }

  #do({ service, operation, input, account }: Call, cloud: FakeCloud): object | Promise<object> {
    if (service === 'sts') return security(operation, input, account);
    const does = service === 'ec2' ? ec2Operations[operation] : otherOperations[service]?.[operation];
    if (does === undefined) throw new WrongParameter('InvalidAction', `the fake does not know ${service}:${operation}`);
    return does(cloud, input as never);
  }
}

function security(operation: string, input: Record<string, unknown>, account: string): object {
  if (operation === 'GetCallerIdentity') return { Account: account, Arn: `arn:aws:sts::${account}:assumed-role/test/test`, UserId: 'AIDATEST' };
  const role = /^arn:aws:iam::(\d{12}):role\/(.*)$/.exec(String(input['RoleArn']));
  if (operation !== 'AssumeRole' || role === null) throw new WrongParameter('InvalidAction', operation);
  if (role[2] === 'forbidden') throw new AwsFault('AccessDenied', `User: arn:aws:iam::${account}:user/test is not authorized to perform: sts:AssumeRole on resource: ${input['RoleArn'] as string}`, 403);
  const Expiration = new Date(Date.now() + 3_600_000);
  return { Credentials: { AccessKeyId: `ASIA${role[1]}TEST`, SecretAccessKey: assumedSecret, SessionToken: 'a-session-token', Expiration } };
}

function scopeOf(request: IncomingMessage): [string, string] {
  const match = /Credential=([A-Z0-9]+)\/\d+\/([a-z0-9-]+)\//.exec(request.headers.authorization ?? '');
  const key = match?.[1] ?? '';
  return [/^ASIA(\d{12})TEST$/.exec(key)?.[1] ?? ownAccount, match?.[2] ?? ownRegion];
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

function readJson(body: string, model: OperationModel): Record<string, unknown> {
  const input = JSON.parse(body) as Record<string, unknown>;
  checkJsonInput(input, model.input);
  return input;
}

function replyJson(response: ServerResponse, _service: FakeService, _operation: string, answer: object): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
}

function replyXml(response: ServerResponse, service: FakeService, operation: string, answer: object, model: OperationModel): void {
  const inner = writeXml(answer, model.output);
  const result = service === 'ec2' ? `<requestId>r</requestId>${inner}` : `<${operation}Result>${inner}</${operation}Result>`;
  response.writeHead(200, { 'content-type': 'text/xml;charset=UTF-8' }).end(`<?xml version="1.0"?><${operation}Response>${result}</${operation}Response>`);
}

/** Starts one, and leads the SDK to it. */
export async function startFakeAws(): Promise<FakeAws> {
  const server = createServer((request, response) => {
    fake.handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { ...testCredentials, AWS_ENDPOINT_URL: url, AWS_REGION: ownRegion, AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  const before = Object.keys(environment).map((key) => [key, process.env[key]] as const);
  Object.assign(process.env, environment);
  const fake: FakeAws = new FakeAws(url, async () => {
    for (const [key, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, key);
      else process.env[key] = value;
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return fake;
}
