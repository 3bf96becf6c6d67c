/**
 * The endpoint of a request: its method and its path with `{id}` for what names one of many things. It goes by the form
 * of each segment alone and learns nothing, so the same request has the same endpoint everywhere and always. What looks
 * like a word stays; so names of users and titles of articles do, too.
 */

/** What is longer is no name that a programmer chose. */
const segmentCharsMax = 48;
const segmentsMax = 12;
/** The longest method in use, UPDATEREDIRECTREF, has 17. */
const methodCharsMax = 20;

/** What every identifier holds; most segments do not, and are done with. */
const MARK = /[\d@]/;

const identifiers: readonly RegExp[] = [
  // Numbers, dates, times, coordinates, IPv4 addresses.
  /^[+-]?\d[\d.,:_+-]*$/,
  // Date with time (ISO 8601), its colons perhaps encoded.
  /^\d{4}-?\d\d-?\d\dT(?:[\d:.+-]|%3A)+Z?$/i,
  /^(?:0x)?[\da-f]{8,}$/i,
  // UUIDs.
  /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
  // E-mail addresses.
  /^[^@]+(?:@|%40)[^@]+\.[^@.]+$/,
  // ULIDs, KSUIDs, CUIDs and other long runs with a digit, perhaps behind the name of their kind.
  /^(?:[a-z]+[_-])?[A-Za-z\d]{20,}$/,
  // Base64url: long, with digits and both cases; behind the name of a kind it may be shorter (`cus_NffrFeUfNV2Hib`).
  /^(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[\w-]{20,}$/,
  /^[a-z]+_(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z\d]{8,}$/,
];

/**
 * For example `GET /users/{id}/orders`. `path` is in the normal form (path-form.ts). The result has at most 12 segments,
 * then `**`, and is never longer than about 700 characters.
 */
export function endpointOf(method: string, path: string): string {
  // A path begins with a slash, so the first segment is empty.
  const segments = path.split('/', segmentsMax + 2);
  const template = segments.map((segment, index) => (index > segmentsMax ? '**' : segmentTemplate(segment)));
  return `${method.slice(0, methodCharsMax)} ${template.join('/')}`;
}

/** Without path parameters (RFC 3986 section 3.3), which hold sessions; `42.json` keeps its extension. */
function segmentTemplate(segment: string): string {
  const parameters = segment.indexOf(';');
  const name = parameters < 0 ? segment : segment.slice(0, parameters);
  if (name.length > segmentCharsMax || isIdentifier(name)) return '{id}';
  const dot = name.lastIndexOf('.');
  return dot > 0 && isIdentifier(name.slice(0, dot)) ? `{id}${name.slice(dot)}` : name;
}

function isIdentifier(text: string): boolean {
  return MARK.test(text) && identifiers.some((pattern) => pattern.test(text));
}
