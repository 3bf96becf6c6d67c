/** Writes answers of the EC2 Query and the AWS Query protocol, in the shape that the SDK's model says. */
import type { Shape } from './sdk-model.ts';

/** The members of `value` as elements; throws where the fake answers what AWS could not. */
export function writeXml(value: object, shape: Shape): string {
  const members = new Map(shape.structIterator());
  return Object.entries(value)
    .map(([name, inner]: [string, unknown]) => {
      const member = members.get(name);
      if (member === undefined) throw new Error(`the fake answers ${name}, which ${shape.getName()} does not have`);
      if (inner === undefined) return '';
      const traits = member.getMergedTraits() as { xmlName?: string; xmlFlattened?: unknown };
      const element = traits.xmlName ?? name;
      if (member.isListSchema() && traits.xmlFlattened !== undefined) return (inner as unknown[]).map((entry) => tagged(element, content(entry, member.getValueSchema()))).join('');
      return tagged(element, content(inner, member));
    })
    .join('');
}

function content(value: unknown, shape: Shape): string {
  if (shape.isStructSchema()) return writeXml(value as object, shape);
  if (shape.isListSchema()) {
    const entry = shape.getValueSchema();
    const { xmlName = 'member' } = entry.getMergedTraits() as { xmlName?: string };
    return (value as unknown[]).map((inner) => tagged(xmlName, content(inner, entry))).join('');
  }
  const kind = shape.isBooleanSchema() ? 'boolean' : shape.isNumericSchema() ? 'number' : shape.isTimestampSchema() ? 'object' : 'string';
  if (typeof value !== kind) throw new Error(`the fake answers ${String(value)} where ${shape.getName()} wants a ${kind}`);
  return escaped(value instanceof Date ? value.toISOString() : String(value));
}

function tagged(name: string, inner: string): string {
  return `<${name}>${inner}</${name}>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
