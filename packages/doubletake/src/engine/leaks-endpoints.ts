/** Names endpoints by method and path, with `{}` in place of what tells one thing from another of its kind. */

/** With more words than this in one place of a path, they are names of things. */
const SIBLINGS_MAX = 12;
const WORD_CHARS_MAX = 24;

/** The path of a target whose parts that are no words are `{}`; `isValue` says more of them. */
export function endpointOf(method: string, target: string, isValue: (segment: string) => boolean): string {
  const path = target.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  const segments = path.split('/').map((segment) => (isWord(segment) && !isValue(segment) ? segment : '{}'));
  return `${method} ${segments.join('/')}`;
}

function isWord(segment: string): boolean {
  return segment === '' || /^v\d{1,2}$/.test(segment) || (segment.length <= WORD_CHARS_MAX && /^[A-Za-z_.~-]+$/.test(segment));
}

/** For each endpoint the one that it is part of: where a path goes on in too many ways, these are `{}`. */
export function mergedEndpoints(endpoints: Iterable<string>): Map<string, string> {
  const paths = new Map(Array.from(endpoints, (endpoint) => [endpoint, endpoint.split('/')]));
  const depth = Math.max(0, ...Array.from(paths.values(), ({ length }) => length));
  for (let at = 1; at < depth; at++) {
    const siblings = new Map<string, Set<string>>();
    const prefixOf = (segments: readonly string[]): string => segments.slice(0, at).join('/');
    for (const segments of paths.values()) {
      const segment = segments[at];
      if (segment === undefined) continue;
      const known = siblings.get(prefixOf(segments)) ?? new Set();
      siblings.set(prefixOf(segments), known.add(segment));
    }
    for (const segments of paths.values()) {
      if (at < segments.length && (siblings.get(prefixOf(segments))?.size ?? 0) > SIBLINGS_MAX) segments[at] = '{}';
    }
  }
  return new Map(Array.from(paths, ([endpoint, segments]) => [endpoint, segments.join('/')]));
}
