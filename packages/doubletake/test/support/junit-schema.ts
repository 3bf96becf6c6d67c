/**
 * Reads XML strictly (XML 1.0, the part of it without DTDs) and holds a document against the JUnit schema of Ant's
 * junitreport (github.com/windyroad/JUnit-Schema): elements, their order, attributes and the types of attributes.
 */

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const name = '[A-Za-z_][\\w.-]*';
const tag = new RegExp(`^<(/?)(${name})((?:\\s+${name}="[^"<]*")*)\\s*(/?)>`);
const reference = /&(?:(amp|lt|gt|quot|apos)|#(\d+)|#x([0-9a-f]+));/gi;

/** The root element. Throws at the first thing that is not well-formed. */
export function parseXml(document: string): Element {
  // oxlint-disable-next-line no-control-regex
  const illegal = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(document);
  if (illegal !== null) throw new Error(`a character that XML does not have: ${JSON.stringify(illegal[0])}`);
  let rest = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '');
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  for (;;) {
    const [text = ''] = /^[^<]*/.exec(rest) ?? [];
    const element = open.at(-1) ?? root;
    element.text += decoded(text);
    rest = rest.slice(text.length);
    if (rest === '') break;
    const match = tag.exec(rest);
    if (match === null) throw new Error(`no tag: ${rest.slice(0, 80)}`);
    const [whole, closing, tagName = '', attributes = '', empty] = match;
    rest = rest.slice(whole.length);
    if (closing === '/') {
      if (open.pop()?.name !== tagName) throw new Error(`</${tagName}> closes nothing`);
      continue;
    }
    const child: Element = { name: tagName, attributes: attributesOf(attributes), children: [], text: '' };
    element.children.push(child);
    if (empty !== '/') open.push(child);
  }
  const [first] = root.children;
  if (open.length !== 1 || first === undefined || root.children.length !== 1 || root.text.trim() !== '') throw new Error('not one root element');
  return first;
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, key = '', value = ''] of text.matchAll(new RegExp(`(${name})="([^"]*)"`, 'g'))) {
    if (Object.hasOwn(attributes, key)) throw new Error(`two attributes ${key}`);
    attributes[key] = decoded(value);
  }
  return attributes;
}

function decoded(text: string): string {
  const bare = text.replace(reference, '').indexOf('&');
  if (bare >= 0) throw new Error(`a bare & in ${text.slice(0, 80)}`);
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };
  return text.replace(reference, (_, entity: string | undefined, decimal: string | undefined, hex: string | undefined) =>
    entity !== undefined ? (named[entity] ?? '') : String.fromCodePoint(decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16)),
  );
}

const token = /^$|^[^\s](?:[^\s]| (?! |$))*$/;
const whole = /^[-+]?\d+$/;
const decimal = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)$/;
const text = /^[^]*$/;

interface Rule {
  /** Required unless the name ends in `?`. */
  attributes: Record<string, RegExp>;
  /** Names of the children, each with a blank behind it. */
  children: RegExp;
  text?: true;
}

const suite: Rule = {
  attributes: {
    name: token,
    timestamp: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/,
    hostname: token,
    tests: whole,
    failures: whole,
    errors: whole,
    'skipped?': whole,
    time: decimal,
    package: token,
    id: whole,
  },
  children: /^properties (?:testcase )*system-out system-err $/,
};
const failure: Rule = { attributes: { 'message?': text, type: text }, children: /^$/, text: true };
const schema: Readonly<Record<string, Rule>> = {
  testsuites: { attributes: {}, children: /^(?:testsuite )*$/ },
  testsuite: suite,
  properties: { attributes: {}, children: /^(?:property )*$/ },
  property: { attributes: { name: token, value: text }, children: /^$/ },
  testcase: { attributes: { name: token, classname: token, time: decimal }, children: /^(?:skipped |error |failure )?$/ },
  skipped: { attributes: { 'message?': text }, children: /^$/, text: true },
  failure,
  error: failure,
  'system-out': { attributes: {}, children: /^$/, text: true },
  'system-err': { attributes: {}, children: /^$/, text: true },
};

/** What is not as the schema says, with its place; empty when all is. */
export function junitProblems(element: Element, place = element.name): string[] {
  const rule = schema[element.name];
  if (rule === undefined) return [`${place}: unknown`];
  const problems: string[] = [];
  const allowed = new Map(Object.entries(rule.attributes).map(([key, type]) => [key.replace('?', ''), { type, required: !key.endsWith('?') }]));
  for (const [key, { type, required }] of allowed) {
    const value = element.attributes[key];
    if (value === undefined ? required : !type.test(value)) problems.push(`${place}/@${key}: ${JSON.stringify(value)}`);
  }
  for (const key of Object.keys(element.attributes)) if (!allowed.has(key)) problems.push(`${place}/@${key}: unknown`);
  const children = element.children.map((child) => `${child.name} `).join('');
  if (!rule.children.test(children)) problems.push(`${place}: children ${children}`);
  if (rule.text !== true && element.text.trim() !== '') problems.push(`${place}: text`);
  return [...problems, ...element.children.flatMap((child, index) => junitProblems(child, `${place}/${child.name}[${index}]`))];
}
