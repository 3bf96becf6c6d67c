/** Single requests: `/api/requests`. */
import { replayAgain, replayAgainAnswer, requestDetail, requestList, requestQuery } from '../api/requests.ts';
import { harOf } from '../har.ts';
import { actionsOf, dataOf } from './parts.ts';
import { type Route, route, type Services, TextAnswer } from './route.ts';

export function requestRoutes({ backend, changes }: Services): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/requests',
      summary: 'Requests that are like this, the newest first',
      access: 'reader',
      query: requestQuery,
      answer: requestList,
      run: ({ query }) => dataOf(backend).requests(query),
    }),
    route({
      method: 'GET',
      path: '/api/requests/{id}',
      summary: 'One request in full, with what both versions answered',
      access: 'reader',
      answer: requestDetail,
      run: ({ param }) => dataOf(backend).request(param('id')),
    }),
    route({
      method: 'GET',
      path: '/api/requests/{id}/har',
      summary: 'The request as a HAR file',
      access: 'reader',
      answer: { type: 'application/json' },
      run: async ({ param }) => new TextAnswer('application/json', harOf(await dataOf(backend).pairsOf({ request: param('id') })), { file: `${param('id')}.har` }),
    }),
    route({
      method: 'POST',
      path: '/api/requests/{id}/replay',
      summary: 'Send the request to a target again, now',
      access: 'operator',
      body: replayAgain,
      answer: replayAgainAnswer,
      async run({ param, body, who }) {
        const pair = await actionsOf(backend).replayAgain(param('id'), body.target);
        changes.add(who, `request ${param('id')} was sent to target ${body.target} again`);
        return { pair };
      },
    }),
  ];
}
