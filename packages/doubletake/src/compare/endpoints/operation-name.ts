/**
 * The operation that a request to a single URL asks for: GraphQL (GraphQL over HTTP, sections 5 and 6) by the name of
 * its operation, JSON-RPC 2.0 by its method. Nothing here has to be right for the request to be compared: what cannot be
 * read has no operation.
 */

/** Longer bodies are not looked into. */
const bodyBytesMax = 1_048_576;
/** Where the members that matter begin, in requests that mean it. */
const prefixBytes = 4_096;
const queryCharsMax = 65_536;
const nameCharsMax = 80;
const batchNamesMax = 3;

const OPERATION = /(?:^|[\s,}])(?:query|mutation|subscription)[\s,]+([_A-Za-z]\w*)/;
const QUERY_TEXT = /^[\s,\uFEFF]*(?:query|mutation|subscription|fragment|\{)/;
/** The first field, behind its alias. */
const FIRST_FIELD = /\{[\s,]*(?:[_A-Za-z]\w*\s*:\s*)?([_A-Za-z]\w*)/;
const COMMENT = /#[^\n\r]*/g;

/**
 * The operation, or null when the request is no such thing. `target` is a path with its query, `contentType` the header
 * or null, `body` the content without codings or null.
 */
export function operationName(target: string, contentType: string | null, body: Buffer | null): string | null {
  const [path, query = ''] = target.split('?', 2);
  const isGraphql = /\/(?:graphql|gql)\/?$/i.test(path);
  if (body === null || body.length === 0) return isGraphql ? graphqlFromQuery(query) : null;
  if (body.length > bodyBytesMax) return null;
  const media = (contentType ?? '').toLowerCase();
  if (media.startsWith('application/graphql') && !media.includes('json')) return graphqlName(null, body.toString('utf8'), null);
  if (!media.includes('json') && !isGraphql) return null;
  const prefix = body.subarray(0, prefixBytes);
  if (!isGraphql && !prefix.includes('"query"') && !prefix.includes('"jsonrpc"')) return null;
  const document = parsed(body);
  if (!Array.isArray(document)) return memberName(document, isGraphql);
  const names = new Set<string>();
  for (const entry of document.slice(0, 100)) names.add(memberName(entry, isGraphql) ?? '?');
  const named = [...names].slice(0, batchNamesMax).join('+');
  return names.size === 0 || named === '?' ? null : named;
}

function memberName(document: unknown, isGraphql: boolean): string | null {
  if (typeof document !== 'object' || document === null) return null;
  const { jsonrpc, method, query, operationName: name, extensions } = document as Record<string, unknown>;
  if (jsonrpc === '2.0' && typeof method === 'string') return short(method);
  const text = typeof query === 'string' ? query : '';
  if (!isGraphql && !(QUERY_TEXT.test(text) && text.includes('{'))) return null;
  return graphqlName(name, text, extensions);
}

function graphqlFromQuery(query: string): string | null {
  const parameters = new URLSearchParams(query);
  const extensions = parameters.get('extensions');
  return graphqlName(
    parameters.get('operationName'),
    parameters.get('query') ?? '',
    extensions === null ? null : parsed(Buffer.from(extensions)),
  );
}

/** By `operationName`, by the name in the text, by the first field, by the hash of a persisted query. */
function graphqlName(name: unknown, query: string, extensions: unknown): string | null {
  if (typeof name === 'string' && name !== '') return short(name);
  const text = query.slice(0, queryCharsMax).replace(COMMENT, '');
  const operation = OPERATION.exec(text)?.[1];
  if (operation !== undefined) return short(operation);
  const field = FIRST_FIELD.exec(text)?.[1];
  if (field !== undefined) return short(`{${field}}`);
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: { sha256Hash?: unknown } | null };
  const hash = persistedQuery?.sha256Hash;
  return typeof hash === 'string' && hash !== '' ? short(hash.slice(0, 12)) : null;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

function short(name: string): string {
  return name.slice(0, nameCharsMax).replaceAll(/[^!-~]/g, '_');
}
