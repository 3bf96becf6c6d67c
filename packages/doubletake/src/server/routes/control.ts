/** What can be changed while it runs: `/api/control`. */
import { changed, control, replayChange, targetChange } from '../api/control.ts';
import { haltText, resumeText, shareText } from '../change-text.ts';
import { Refusal } from '../refusal.ts';
import { actionsOf, changing } from './parts.ts';
import { type Route, route, type Services } from './route.ts';

export function controlRoutes(services: Services): Route[] {
  const { backend, observer } = services;
  return [
    route({
      method: 'GET',
      path: '/api/control',
      summary: 'Whether replay runs, and what each target gets',
      access: 'reader',
      answer: control,
      run: () => observer.control(),
    }),
    route({
      method: 'POST',
      path: '/api/control/replay',
      summary: 'The kill switch: stop all replay at once, or let it go on',
      access: 'operator',
      body: replayChange,
      answer: changed,
      run: ({ body, who }) =>
        body.replay === 'stopped'
          ? changing(services, who, haltText, () => actionsOf(backend).halt())
          : changing(services, who, resumeText, () => actionsOf(backend).resume()),
    }),
    route({
      method: 'POST',
      path: '/api/control/targets/{name}',
      summary: 'What share of the requests a target gets',
      access: 'operator',
      body: targetChange,
      answer: changed,
      run({ param, body, who }) {
        const name = param('name');
        const actions = actionsOf(backend);
        if (!Object.hasOwn(backend.live.shares(), name)) throw new Refusal(404, 'DT_NOT_FOUND', `there is no target ${name}`);
        return changing(services, who, shareText(name, body.percentage), () => actions.setPercentage(name, body.percentage));
      },
    }),
  ];
}
