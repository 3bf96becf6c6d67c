/**
 * Changes captured requests for one target, after they were made safe and before they are written: rules, then the test
 * environment's credentials. What no rule touches keeps its bytes; what is made is a sound request again, or none.
 *
 * Conditions look at the request as it was captured, variables stand for what came in here: neither sees what a rule
 * before did.
 */
import type { Exchange } from '../../http/exchange.ts';
import { compileCondition, type Predicate } from '../filter-condition.ts';
import { RequestView } from '../request-view.ts';
import { BodyRewrite } from './body-rewrite.ts';
import { Credential } from './credential.ts';
import { HeaderEdit } from './header-edit.ts';
import { HostRewrite } from './host-rewrite.ts';
import { type IdempotencyKeys, openIdempotencyKeys } from './idempotency-key.ts';
import type { RewriteOptions, RewriteRule } from './options.ts';
import { PathRewrite } from './path-rewrite.ts';
import { QueryEdit } from './query-edit.ts';
import { RequestDraft } from './request-draft.ts';
import { joinTarget, splitTarget } from './target-parts.ts';
import { Variables } from './variables.ts';

interface CompiledRule {
  /** Null is every request. */
  when: Predicate | null;
  path: PathRewrite | null;
  query: QueryEdit | null;
  headers: HeaderEdit | null;
  host: HostRewrite | null;
  body: BodyRewrite | null;
}

/** Null when the options change no request. Throws as `Rewriter` does. */
export function openRewriter(options: RewriteOptions): Rewriter | null {
  const { rules, credentials } = options;
  if (rules.length === 0 && credentials === undefined && openIdempotencyKeys(options) === null) return null;
  return new Rewriter(options);
}

export class Rewriter {
  /** The Host that a rule gives the request that was rewritten last; null when none does. */
  host: string | null = null;
  readonly #rules: readonly CompiledRule[];
  readonly #credential: Credential | null;
  /** Null keeps them. */
  readonly #idempotencyKeys: IdempotencyKeys | null;
  readonly #view: RequestView;

  /** Throws for a pattern, JSONPath or text that cannot be understood, and names the rule. */
  constructor(options: RewriteOptions) {
    const { rules, credentials, trustedProxies = [] } = options;
    this.#rules = rules.map(compile);
    this.#credential = credentials === undefined ? null : new Credential(credentials);
    this.#idempotencyKeys = openIdempotencyKeys(options);
    this.#view = new RequestView(trustedProxies);
  }

  /**
   * The exchange with its request rewritten; itself when nothing changes; null when the request cannot be rewritten.
   * `id` is the id under which it is replayed, `original` the exchange before it was sanitized.
   */
  rewrite(exchange: Exchange, id: string, original: Exchange): Exchange | null {
    this.host = null;
    let draft: RequestDraft | null = null;
    if (this.#idempotencyKeys?.concerns(exchange) === true) {
      draft = new RequestDraft(exchange);
      this.#idempotencyKeys.put(draft, original);
    }
    if (this.#rules.length > 0) {
      this.#view.show(original);
      let variables: Variables | null = null;
      for (const rule of this.#rules) {
        if (rule.when?.(this.#view) === false) continue;
        draft ??= new RequestDraft(exchange);
        variables ??= new Variables(exchange, id);
        if (!this.#apply(rule, draft, exchange, variables)) return null;
      }
    }
    if (this.#credential?.wanted(original.request.head) === true) {
      draft ??= new RequestDraft(exchange);
      this.#credential.put(draft);
    }
    return draft === null ? exchange : draft.finish();
  }

  /** False when the request cannot be rewritten. */
  #apply({ path, query, headers, host, body }: CompiledRule, draft: RequestDraft, exchange: Exchange, variables: Variables): boolean {
    if (path !== null || query !== null) applyToTarget(path, query, draft, variables);
    headers?.apply(draft, variables);
    if (host !== null) this.host = host.apply(variables) ?? this.host;
    return body === null || body.apply(draft, exchange.request.head, variables);
  }
}

function applyToTarget(path: PathRewrite | null, query: QueryEdit | null, draft: RequestDraft, variables: Variables): void {
  const parts = splitTarget(draft.target);
  if (parts === null) return;
  if (path !== null) parts.path = path.apply(parts.path, variables);
  if (query !== null) parts.query = query.apply(parts.query, variables);
  draft.target = joinTarget(parts);
}

function compile({ name, when, path, query, headers, host, json }: RewriteRule): CompiledRule {
  try {
    return {
      when: when === undefined ? null : compileCondition(when),
      path: path === undefined ? null : new PathRewrite(path),
      query: query === undefined ? null : new QueryEdit(query),
      headers: headers === undefined ? null : new HeaderEdit(headers),
      host: host === undefined ? null : new HostRewrite(host),
      body: json === undefined || json.length === 0 ? null : new BodyRewrite(json),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the rule "${name}": ${reason}`, { cause: error });
  }
}
