/**
 * One line of an access log in the combined or common format of Apache and NGINX, perhaps with the virtual host in front:
 *
 *     203.0.113.7 - anna [10/Oct/2026:13:55:36 +0200] "GET /a?b HTTP/1.1" 200 2326 "https://a.example/" "Mozilla/5.0"
 *
 * https://httpd.apache.org/docs/2.4/logs.html, https://nginx.org/en/docs/http/ngx_http_log_module.html. Apache writes
 * `\"` and `\xhh` for what does not belong in a line, NGINX `\xhh`.
 */

export interface AccessLogLine {
  client: string;
  /** Null where the line does not say it. */
  host: string | null;
  /** Whole seconds, as microseconds since the epoch. */
  timeUs: number;
  method: string;
  target: string;
  referer: string | null;
  userAgent: string | null;
}

const pattern =
  /^(?:(?<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5} )?(?<client>[^ "]+) [^ "]+ .*?\[(?<time>[^\]]{20,32})\] "(?<request>(?:[^"\\]|\\.)*)" (?:\d{3}|-) (?:\d+|-)(?: "(?<referer>(?:[^"\\]|\\.)*)" "(?<agent>(?:[^"\\]|\\.)*)")?/;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Null when `line` is no line of such a log; a text when it is one, and holds no request. */
export function parseLogLine(line: string): AccessLogLine | string | null {
  const groups = pattern.exec(line)?.groups;
  if (groups === undefined) return null;
  const { host, client = '', time = '', request = '', referer, agent } = groups;
  const timeUs = parseTime(time);
  if (timeUs === null) return `${time} is no time`;
  const [method, target, version, ...rest] = unescape(request).split(' ');
  if (!method || !target || !/^HTTP\/[01]\.\d$|^HTTP\/[23](?:\.0)?$/.test(version ?? '') || rest.length > 0) return 'holds no request line';
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method) || !/^\/[!-~\u0080-\u00ff]*$/.test(target)) return 'holds no request line that can be sent';
  return { client, host: host ?? null, timeUs, method, target, referer: said(referer), userAgent: said(agent) };
}

/** `10/Oct/2026:13:55:36 +0200`. */
function parseTime(text: string): number | null {
  const match = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text);
  if (match === null) return null;
  const [, day, month = '', year, hour, minute, second, sign, offsetHours, offsetMinutes] = match;
  const index = months.indexOf(month);
  if (index < 0) return null;
  const utcMs = Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second));
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return (utcMs - (sign === '-' ? -offsetMs : offsetMs)) * 1_000;
}

function said(text: string | undefined): string | null {
  if (text === undefined || text === '-' || text === '') return null;
  const value = unescape(text);
  // oxlint-disable-next-line no-control-regex -- what has no place in a header
  return /[\u0000-\u001f\u007f]/.test(value) ? null : value;
}

function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:x([0-9A-Fa-f]{2})|(.))/g, (_, hex: string | undefined, other: string | undefined) =>
    hex === undefined ? (controls[other ?? ''] ?? other ?? '') : String.fromCharCode(parseInt(hex, 16)),
  );
}

const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', b: '\b', f: '\f' };
