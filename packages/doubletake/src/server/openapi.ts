/** The HTTP API as OpenAPI 3.1, made of the same routes and schemas by which it is served. */
import { z } from 'zod';
import { version } from '../version.ts';
import * as clusters from './api/clusters.ts';
import * as control from './api/control.ts';
import * as endpoints from './api/endpoints.ts';
import * as overview from './api/overview.ts';
import * as requests from './api/requests.ts';
import * as rules from './api/rules.ts';
import * as session from './api/session.ts';
import * as traffic from './api/traffic.ts';
import * as values from './api/values.ts';
import type { Route } from './routes/route.ts';

/** Every schema of the contract has a name of its own: `clusterRow` is `ClusterRow`. */
const named = Object.entries({ ...clusters, ...control, ...endpoints, ...overview, ...requests, ...rules, ...session, ...traffic, ...values }).flatMap(
  ([name, schema]) => (schema instanceof z.ZodType ? [{ name: name.charAt(0).toUpperCase() + name.slice(1), schema }] : []),
);

const uri = (name: string): string => `#/components/schemas/${name}`;

export function openApiOf(routes: readonly Route[]): object {
  const components = componentsOf();
  const paths: Record<string, Record<string, object>> = {};
  for (const each of routes) (paths[each.path] ??= {})[each.method.toLowerCase()] = operationOf(each);
  return {
    openapi: '3.1.1',
    info: {
      title: 'doubletake',
      version: version(),
      description: 'What the dashboard shows and does. Times are ISO 8601 in UTC, durations milliseconds, shares 0 to 1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    // On the loopback interface no token is asked for, unless one is configured.
    security: [{ bearer: [] }, { cookie: [] }, {}],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The operator\'s or the reader\'s token.' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'doubletake_9090', description: 'Set by POST /api/session; with the port in its name, and __Host- before it by https.' },
      },
    },
  };
}

function componentsOf(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const { name, schema } of named) registry.add(schema, { id: name });
  const { schemas } = z.toJSONSchema(registry, { uri, io: 'output', target: 'draft-2020-12' });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIds(schema)]));
}

function operationOf({ method, path, summary, access, query, body, status, answer }: Route): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  return {
    operationId: operationIdOf(method, path),
    summary,
    ...(access === 'operator' ? { description: 'For operators.' } : {}),
    ...(access === 'anybody' ? { security: [{}] } : {}),
    ...(inPath.length > 0 || query !== undefined ? { parameters: [...inPath, ...queryParameters(query)] } : {}),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    responses: {
      [status]: { description: 'Done.', content: contentOf(answer) },
      default: { description: 'What is wrong, and what to do.', content: { 'application/json': { schema: { $ref: uri('Problem') } } } },
    },
  };
}

function contentOf(answer: Route['answer']): object {
  if (answer === 'events') return { 'text/event-stream': { schema: { type: 'string' } } };
  if (answer instanceof z.ZodType) return { 'application/json': { schema: schemaOf(answer, 'output') } };
  return { [answer.type]: { schema: answer.type === 'application/json' ? { type: 'object' } : { type: 'string' } } };
}

/** By reference where it has a name. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const name = named.find((known) => known.schema === schema)?.name;
  if (name !== undefined && io === 'output') return { $ref: uri(name) };
  return withoutIds(z.toJSONSchema(schema, { io, target: 'draft-2020-12' }));
}

function queryParameters(query: z.ZodType | undefined): object[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input', target: 'draft-2020-12' });
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest } = typeof schema === 'object' ? schema : {};
    return { name, in: 'query', required: required.includes(name), ...(description === undefined ? {} : { description }), schema: rest };
  });
}

function withoutIds(schema: object): object {
  const { $schema: _schema, $id: _id, ...rest } = schema as Record<string, unknown>;
  return rest;
}

/** `GET /api/clusters/{id}/har` is `getClustersIdHar`. */
function operationIdOf(method: string, path: string): string {
  const words = path.replace('/api/', '/').split(/[^A-Za-z]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
