/**
 * Makes docs/configuration.md from the configuration's JSON Schema: a table for each mapping, its settings in their
 * order with what they take, their default and their description.
 */
import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';

const introduction = `# Configuration

<!-- Made from packages/doubletake/src/config. To make it anew: npx vitest run packages/doubletake/test/config.test.ts -u -->

\`doubletake mirror CONFIG.yaml\` reads what to do from a file in YAML or JSON. Flags say the same things; a flag beside
a file overrides it: \`--vxlan\`, \`--geneve\`, \`--interface\`, \`--http-sink\`, \`--proxy\` and \`--pcap\` replace the file's sources,
\`--target\` its targets, and \`--vni\`, \`--port\`, \`--receive\`, \`--host\`, \`--ordering\`, \`--ca\` and \`--timeout\` apply to all
of them that know them.

\`\`\`yaml
sources:
  - vxlan: { listen: "0.0.0.0:4789", vni: [1234], ports: [80] }
policy:
  methods: safe
  filters:
    - { name: no health checks, exclude: { preset: health-checks } }
    - { name: only the API, include: { path: "/api/**" } }
  sample: { percentage: 10, by: header, header: X-User-Id, salt: "2026-11" }
targets:
  - { name: candidate, url: "http://test.internal:8080", limits: { inFlight: 100 } }
health: 8080
ledger: ./ledger.json
\`\`\`

- \`doubletake config check FILE\` says what a file means, line by line, or what is wrong with it, without starting
  anything. With \`--request FILE\` (a raw HTTP request) it shows what would become of that request: the decision, and the
  bytes before and after.
- \`doubletake config schema\` prints the JSON Schema. Editors that know the YAML language server complete and check by it:
  \`# yaml-language-server: $schema=./doubletake.schema.json\` in the file's first line.
- \`\${NAME}\` in a text is the value of an environment variable; one that is not set is an error. \`$$\` is a dollar. Values
  from the environment are not shown in messages about the file. Quote it: in braces, YAML reads \`\${NAME}\` as a mapping.
- SIGHUP makes a running mirror read its file again, without losing a packet: policy and targets change. What else has
  changed is named in a warning and takes a restart. A file with a mistake changes nothing.

Kinds of value: a *duration* is a number with \`ms\`, \`s\`, \`m\` or \`h\` (\`500ms\`, \`30s\`), up to 24h; an *age* one with
\`s\`, \`m\`, \`h\` or \`d\` (\`30d\`); a *size* one with \`B\`, \`KiB\`, \`MiB\`, \`GiB\`, \`kB\`, \`MB\` or \`GB\`; a *percentage* a
number from 0 to 100, also as text with its sign (\`"0.5%"\`);
\`[HOST:]PORT\` listens on all IPv4 addresses when no host is given, and an IPv6 address stands in brackets.
`;

export function configurationReference(): string {
  const schema = configJsonSchema();
  const shared = Object.entries(schema.$defs ?? {}).map(([name, definition]) => definitionSection(name, definition));
  return `${introduction}\n${[...tables('', schema), ...shared].join('\n')}`;
}

/** A shape that stands at several places: a table, or a list of what can stand there. */
function definitionSection(name: string, schema: JsonSchema): string {
  if (isMapping(schema)) return tables(name, schema).join('\n');
  const choices = (schema.anyOf ?? []).map((choice) => {
    const shape = objectSchema(choice);
    const [key, inside] = Object.entries(shape.properties ?? {})[0] ?? [];
    if (key === undefined || inside === undefined) return `- ${takes(shape)}: ${shape.description ?? ''}`;
    return `- \`{ ${key}: … }\`: ${objectSchema(inside).description ?? ''}`;
  });
  return `## \`${name}\`\n\n${choices.join('\n')}\n`;
}

/** The table of a mapping at `name`, then those of the mappings in it. */
function tables(name: string, schema: JsonSchema): string[] {
  const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => ({ key, schema: objectSchema(value) }));
  const required = new Set(schema.required ?? []);
  const title = name === '' ? '## The file' : `## \`${name}\``;
  const lines = [title, ''];
  if (schema.description !== undefined) lines.push(schema.description, '');
  lines.push('| setting | takes | default | what it does |', '|---|---|---|---|');
  for (const { key, schema: field } of properties) {
    lines.push(`| \`${key}\` | ${takes(field)} | ${defaultText(field, required.has(key))} | ${cell(field.description ?? '')} |`);
  }
  const inner = properties.flatMap(({ key, schema: field }) => {
    const path = name === '' ? key : `${name}.${key}`;
    if (isMapping(field)) return tables(path, field);
    const items = itemSchema(field);
    return items !== null && isMapping(items) ? tables(`${path}[]`, items) : [];
  });
  return [`${lines.join('\n')}\n`, ...inner];
}

function takes(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return referenceText(schema.$ref);
  if (schema.title !== undefined) return cell(schema.title);
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const choices = schema.anyOf ?? schema.oneOf;
  // Four kinds of network are one word.
  if (choices !== undefined) return [...new Set(choices.map((choice) => takes(objectSchema(choice))))].join(' or ');
  const items = itemSchema(schema);
  if (items !== null) return isMapping(items) ? 'list of mappings' : `list of: ${takes(items)}`;
  if (isMapping(schema)) return 'mapping';
  if (schema.type === 'integer') return `whole number, ${String(schema.minimum)} to ${String(schema.maximum)}`;
  return { string: 'text', boolean: '`true` or `false`', number: 'number' }[String(schema.type)] ?? String(schema.type);
}

/** Links to the section of a shared shape. */
function referenceText(reference: string): string {
  const name = reference.replace(/^.*\//, '');
  return `[${name}](#${name.toLowerCase()})`;
}

function defaultText(schema: JsonSchema, required: boolean): string {
  if (required) return '**required**';
  const value: unknown = schema.default;
  if (value === undefined || isMapping(schema)) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function isMapping(schema: JsonSchema): boolean {
  return schema.properties !== undefined;
}

function itemSchema(schema: JsonSchema): JsonSchema | null {
  return schema.items === undefined || Array.isArray(schema.items) ? null : objectSchema(schema.items);
}

function objectSchema(schema: JsonSchema | boolean): JsonSchema {
  return typeof schema === 'boolean' ? {} : schema;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
