/** Rules by which differences do not count: `/api/rules`. */
import { changed } from '../api/control.ts';
import { ruleInput, ruleList, rulePreview } from '../api/rules.ts';
import { actionsOf, changing, dataOf } from './parts.ts';
import { type Route, route, type Services } from './route.ts';

export function ruleRoutes(services: Services): Route[] {
  const { backend } = services;
  return [
    route({
      method: 'GET',
      path: '/api/rules',
      summary: 'Rules, and differences that were accepted',
      access: 'reader',
      answer: ruleList,
      run: () => dataOf(backend).rules(),
    }),
    route({
      method: 'POST',
      path: '/api/rules',
      summary: 'Add a rule: it holds at once, and is written to the rules file',
      access: 'operator',
      body: ruleInput,
      status: 201,
      answer: changed,
      run: ({ body, who }) =>
        changing(services, who, `rule ${body.name} for ${body.path} is added`, () => actionsOf(backend).addRule(body)),
    }),
    route({
      method: 'POST',
      path: '/api/rules/preview',
      summary: 'What a rule would have hidden of what is stored',
      access: 'reader',
      body: ruleInput,
      answer: rulePreview,
      run: ({ body }) => dataOf(backend).previewRule(body),
    }),
    route({
      method: 'DELETE',
      path: '/api/rules/{name}',
      summary: 'Remove a rule of the rules file',
      access: 'operator',
      answer: changed,
      run: ({ param, who }) =>
        changing(services, who, `rule ${param('name')} is removed`, () => actionsOf(backend).removeRule(param('name'))),
    }),
  ];
}
