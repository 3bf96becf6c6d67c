/** What the variables of templates stand for: the request as it came to the rewriting, before any rule changed it. */
import type { TemplateVariable } from '../../config/template.ts';
import type { Exchange } from '../../http/exchange.ts';
import { splitTarget } from './target-parts.ts';

export class Variables {
  readonly #exchange: Exchange;
  readonly #id: string;

  constructor(exchange: Exchange, id: string) {
    this.#exchange = exchange;
    this.#id = id;
  }

  /** Latin1; empty for what the request does not have. */
  get(name: TemplateVariable): string {
    const { connection, client, request } = this.#exchange;
    switch (name) {
      case 'host':
        return originalHost(this.#exchange);
      case 'client':
        return connection.address(client);
      case 'server':
        return connection.endpoint(client === 0 ? 1 : 0);
      case 'method':
        return request.head.method;
      case 'path':
        return splitTarget(request.head.target)?.path ?? request.head.target;
      case 'query':
        return splitTarget(request.head.target)?.query ?? '';
      case 'id':
        return this.#id;
    }
  }

  /** Several fields are one list (RFC 9110 section 5.3). */
  header(lower: string): string {
    return this.#exchange.request.head.all(lower).join(', ');
  }
}

/** The host that was asked for, with its port (RFC 9112 section 3.2); empty when the request names none. */
export function originalHost({ request: { head } }: Exchange): string {
  return splitTarget(head.target)?.authority ?? head.get('host') ?? '';
}
