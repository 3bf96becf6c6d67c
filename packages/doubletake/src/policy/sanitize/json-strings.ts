/** What stands between the quotation marks of a JSON string (RFC 8259 section 7), and what it says. */

class NotJson extends Error {}
/** Thrown, and caught by the reader of the document: it is not JSON. */
export const notJson = new NotJson('not JSON');

/** What an escaped text says. An escape that is none says that this is not JSON. */
export function unescape(text: string): string {
  try {
    // Control characters are tolerated, as many servers do.
    const literal = text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
    return String(JSON.parse(`"${literal}"`));
  } catch {
    throw notJson;
  }
}

/** The text with what has to be escaped; itself when nothing has. */
export function escape(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return JSON.stringify(text).slice(1, -1);
  }
  return text;
}
