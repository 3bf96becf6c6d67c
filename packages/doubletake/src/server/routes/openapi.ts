/** The description of all routes: `/api/openapi.json`. */
import { openApiOf } from '../openapi.ts';
import { PreparedJson } from '../prepared.ts';
import { type Route, route } from './route.ts';

export function openApiRoute(routes: readonly Route[]): Route {
  let document: PreparedJson | null = null;
  const described: Route = route({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description, as OpenAPI 3.1',
    access: 'reader',
    answer: { type: 'application/json' },
    run: () => (document ??= new PreparedJson(openApiOf([...routes, described]))),
  });
  return described;
}
