/**
 * Which endpoint a request belongs to: `GET /users/{id}`, `POST /graphql#GetCart`, `POST /rpc#cart.add`. Templates given
 * by the user come first, then what the path's segments look like, then what was learned from the other paths.
 */
import { endpointOf } from '../../policy/endpoint.ts';
import { normalPath } from '../../policy/path-form.ts';
import { GivenTemplates } from './given-templates.ts';
import { operationName } from './operation-name.ts';
import { PathTemplates } from './path-templates.ts';

/** Endpoints that are told apart; requests of any other belong to `otherEndpoint`. */
const endpointsMax = 10_000;
export const otherEndpoint = 'other';

export class EndpointNames {
  readonly #given: GivenTemplates;
  readonly #learned = new PathTemplates();
  /** By name, whether it comes from a template that was given. */
  #names = new Map<string, boolean>();
  #merges = 0;

  /** `templates` are paths, or a method and a path, with `{name}` for a segment and `**` for what follows. */
  constructor(templates: readonly string[]) {
    this.#given = new GivenTemplates(templates);
  }

  /** Grows when names given before have become one; `currentName` tells which. */
  get merges(): number {
    return this.#merges;
  }

  /**
   * The endpoint of a request. `target` is the path with the query (latin1), `contentType` and `body` are the request's,
   * null where there is none.
   */
  nameOf(method: string, target: string, contentType: string | null, body: Buffer | null): string {
    const operation = operationName(target, contentType, body);
    const path = normalPath(target);
    const given = this.#given.find(method, path);
    const template = given ?? this.#learn(method, path);
    if (template === null) return otherEndpoint;
    const name = `${method.slice(0, 20)} ${template}${operation === null ? '' : `#${operation}`}`;
    if (this.#names.has(name)) return name;
    if (this.#names.size >= endpointsMax) return otherEndpoint;
    this.#names.set(name, given !== null);
    return name;
  }

  /** The name that an endpoint has now, since the templates learned may have grown wider. */
  currentName(name: string): string {
    if (this.#names.get(name) === true) return name;
    const match = /^(\S+) (\/[^#]*)(#.*)?$/.exec(name);
    return match === null ? name : `${match[1]} ${this.#learned.current(match[2] ?? '')}${match[3] ?? ''}`;
  }

  #learn(method: string, path: string): string | null {
    const formed = endpointOf(method, path);
    const form = formed.slice(formed.indexOf(' ') + 1);
    if (!form.startsWith('/')) return form;
    const template = this.#learned.learn(form);
    if (this.#learned.merges !== this.#merges) {
      this.#merges = this.#learned.merges;
      this.#names = new Map(Array.from(this.#names, ([name, given]) => [this.currentName(name), given]));
    }
    return template;
  }
}
