/** Registers routes with fastify: who may, what comes in checked by its schema, what goes out in the form it has. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { addressOf, type Gate, type Visitor } from './access/gate.ts';
import type { EventStreams } from './event-streams.ts';
import { PreparedJson } from './prepared.ts';
import { Refusal } from './refusal.ts';
import { type Call, type Route, TextAnswer } from './routes/route.ts';
import { securityHeaders } from './security-headers.ts';

/** Smaller answers are not worth compressing. */
const gzipBytesMin = 4_096;

export function registerRoutes(app: FastifyInstance, routes: readonly Route[], gate: Gate, streams: EventStreams): void {
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      // A stream without a body would never end.
      exposeHeadRoute: route.answer !== 'events',
      // Before a body is read.
      preParsing: async (request) => {
        gate.checkOrigin(request.raw);
        visitors.set(request, admitted(route, gate.visitor(request.raw)));
      },
      handler: (request, reply) => answer(route, request, reply, streams),
    });
  }
}

/** Who asks, found out before the body is read. */
const visitors = new WeakMap<FastifyRequest, Visitor>();

/** Throws a `Refusal` for who may not. */
function admitted({ access }: Route, visitor: Visitor): Visitor {
  if (access === 'anybody' || visitor.role === 'operator' || visitor.role === access) return visitor;
  if (visitor.role === null) throw new Refusal(401, 'DT_UNAUTHORIZED', 'a token is needed: log in, or send it as Authorization: Bearer TOKEN');
  throw new Refusal(403, 'DT_FORBIDDEN', 'you may see this and not change it: log in with the operator\'s token', { suspicious: true });
}

async function answer(route: Route, request: FastifyRequest, reply: FastifyReply, streams: EventStreams): Promise<unknown> {
  const visitor = visitors.get(request) ?? { role: null, session: null };
  const params = request.params as Readonly<Record<string, string>>;
  const call: Call = {
    query: checked(route.query, request.query, 'query'),
    body: checked(route.body, request.body, 'body'),
    param: (name) => params[name] ?? '',
    visitor,
    who: `${visitor.role ?? 'somebody'} ${addressOf(request.raw)}`,
    request: request.raw,
    setCookie: (value) => void reply.header('set-cookie', value),
  };
  if (route.answer === 'events') {
    streams.checkRoom();
    const first = (await route.run(call)) as string[];
    reply.hijack();
    streams.begin(reply.raw, { ...securityHeaders }, visitor.session, first);
    return undefined;
  }
  const result: unknown = await route.run(call);
  void reply.code(route.status).header('cache-control', 'no-store');
  if (result instanceof PreparedJson) return sendPrepared(result, request, reply);
  if (result instanceof TextAnswer) return sendText(result, reply);
  return reply.send(result);
}

/** What comes in, as its schema has it; a route without a schema takes nothing. */
function checked(schema: z.ZodType | undefined, given: unknown, what: 'query' | 'body'): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? what : `${what}: ${issue.path.join('.')}`;
  throw new Refusal(400, 'DT_BAD_REQUEST', `${place}: ${issue?.message ?? 'this cannot be read'}`);
}

/** Compressed once for all who take it so. */
async function sendPrepared(prepared: PreparedJson, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  void reply.type('application/json; charset=utf-8').header('vary', 'accept-encoding');
  const accepts = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  if (!accepts || prepared.plain.length < gzipBytesMin) return reply.send(prepared.plain);
  return reply.header('content-encoding', 'gzip').send(await prepared.gzipped());
}

function sendText({ type, text, file, status }: TextAnswer, reply: FastifyReply): FastifyReply {
  if (file !== null) void reply.header('content-disposition', `attachment; filename="${file.replaceAll(/[^\w.-]/g, '_')}"`);
  return reply.code(status).type(type).send(text);
}
