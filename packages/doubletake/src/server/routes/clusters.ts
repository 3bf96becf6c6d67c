/** Differences by their cause: `/api/clusters`. */
import { acceptance, clusterDetail, clusterList, clusterQuery } from '../api/clusters.ts';
import { changed } from '../api/control.ts';
import { harOf } from '../har.ts';
import { clustersOf } from '../view/clusters.ts';
import { actionsOf, changing, dataOf } from './parts.ts';
import { type Route, route, type Services, TextAnswer } from './route.ts';

export function clusterRoutes(services: Services): Route[] {
  const { backend, prepared } = services;
  return [
    route({
      method: 'GET',
      path: '/api/clusters',
      summary: 'Differences by their cause, the weightiest first, at most 10,000',
      access: 'reader',
      query: clusterQuery,
      answer: clusterList,
      run({ query }) {
        const report = backend.live.comparison();
        const hidden = backend.live.hidden();
        if (report === null) return { hidden, clusters: [] };
        return prepared.answer(report, JSON.stringify(['clusters', hidden, query]), (of) => clustersOf(of, query, hidden));
      },
    }),
    route({
      method: 'GET',
      path: '/api/clusters/{id}',
      summary: 'A difference with examples, side by side',
      access: 'reader',
      answer: clusterDetail,
      run: ({ param }) => dataOf(backend).cluster(param('id')),
    }),
    route({
      method: 'GET',
      path: '/api/clusters/{id}/har',
      summary: 'Its examples as a HAR file',
      access: 'reader',
      answer: { type: 'application/json' },
      run: async ({ param }) => new TextAnswer('application/json', harOf(await dataOf(backend).pairsOf({ cluster: param('id') })), { file: `${param('id')}.har` }),
    }),
    route({
      method: 'PUT',
      path: '/api/clusters/{id}/accepted',
      summary: 'Accept a difference: it counts no more',
      access: 'operator',
      body: acceptance,
      answer: changed,
      run: ({ param, body, who }) =>
        changing(services, who, `difference ${param('id')} is accepted${body.note === '' ? '' : `: ${body.note}`}`, () =>
          actionsOf(backend).accept(param('id'), body.note),
        ),
    }),
    route({
      method: 'DELETE',
      path: '/api/clusters/{id}/accepted',
      summary: 'Let an accepted difference count again',
      access: 'operator',
      answer: changed,
      run: ({ param, who }) =>
        changing(services, who, `difference ${param('id')} counts again`, () => actionsOf(backend).unaccept(param('id'))),
    }),
  ];
}
