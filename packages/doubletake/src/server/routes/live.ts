/** What is seen at a glance and over time: overview, history, traffic, events; health and metrics for other programs. */
import { z } from 'zod';
import { changeList } from '../api/control.ts';
import { endpointList } from '../api/endpoints.ts';
import { history, overview } from '../api/overview.ts';
import { traffic } from '../api/traffic.ts';
import { eventText } from '../event-streams.ts';
import { Refusal } from '../refusal.ts';
import { endpointsOf } from '../view/endpoints.ts';
import { type Route, route, type Services, TextAnswer } from './route.ts';

const daySeconds = 86_400;

const health = z.object({ status: z.enum(['ok', 'failing']), reason: z.string().optional().describe('For who may see it.') });

export function liveRoutes({ backend, observer, changes, prepared, metrics }: Services): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/overview',
      summary: 'Everything that is seen at a glance',
      access: 'reader',
      answer: overview,
      run: () => observer.overview(),
    }),
    route({
      method: 'GET',
      path: '/api/history',
      summary: 'What is drawn over time, at most 1,000 points',
      access: 'reader',
      query: z.strictObject({ seconds: z.coerce.number().int().min(1).max(daySeconds).default(900) }),
      answer: history,
      run: ({ query }) => observer.history(query.seconds),
    }),
    route({
      method: 'GET',
      path: '/api/events',
      summary: 'Server-sent events: `overview` and `point` each second, `change` and `report` as they happen',
      access: 'reader',
      answer: 'events',
      run: () => [eventText('overview', observer.overview())],
    }),
    route({
      method: 'GET',
      path: '/api/endpoints',
      summary: 'What each endpoint came to',
      access: 'reader',
      answer: endpointList,
      run() {
        const report = backend.live.comparison();
        return report === null ? { endpoints: [] } : prepared.answer(report, 'endpoints', endpointsOf);
      },
    }),
    route({
      method: 'GET',
      path: '/api/traffic',
      summary: 'What arrives, source by source, and what of it is used',
      access: 'reader',
      answer: traffic,
      run: () => observer.traffic(),
    }),
    route({
      method: 'GET',
      path: '/api/changes',
      summary: 'What was changed while it ran, the newest first, at most 1,000',
      access: 'reader',
      answer: changeList,
      run: () => ({ changes: changes.list() }),
    }),
    route({
      method: 'GET',
      path: '/healthz',
      summary: 'Whether packets can flow through to an outcome: 200, or 503',
      access: 'anybody',
      answer: health,
      run({ visitor }) {
        const reason = backend.live.problem();
        if (reason === null) return { status: 'ok' };
        const told = visitor.role === null ? {} : { reason };
        return new TextAnswer('application/json', JSON.stringify({ status: 'failing', ...told }), { status: 503 });
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      summary: 'Metrics for Prometheus',
      access: 'reader',
      answer: { type: 'text/plain' },
      async run({ request }) {
        if (metrics === null) throw new Refusal(404, 'DT_NOT_FOUND', 'there are no metrics here');
        const { type, text } = await metrics(request.headers.accept);
        return new TextAnswer(type, text);
      },
    }),
  ];
}
