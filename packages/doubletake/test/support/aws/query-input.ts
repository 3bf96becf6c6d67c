/** Reads a request of the EC2 Query and the AWS Query protocol, and refuses every parameter that the SDK's model does not have so. */
import { requiredMembers, type Shape, WrongParameter } from './sdk-model.ts';

interface Node {
  text: string | null;
  children: Map<string, Node>;
}

/** `ec2`: lists have no `member` in their names, and names begin with a capital. */
export function readQueryInput(parameters: URLSearchParams, shape: Shape, ec2: boolean): Record<string, unknown> {
  const root: Node = { text: null, children: new Map() };
  for (const [key, value] of parameters) {
    if (key === 'Action' || key === 'Version') continue;
    let node = root;
    for (const step of key.split('.')) {
      let next = node.children.get(step);
      if (next === undefined) {
        next = { text: null, children: new Map() };
        node.children.set(step, next);
      }
      node = next;
    }
    node.text = value;
  }
  return readStructure(root, shape, ec2, '');
}

function readStructure(node: Node, shape: Shape, ec2: boolean, path: string): Record<string, unknown> {
  const names = new Map<string, [string, Shape]>();
  for (const [name, member] of shape.structIterator()) names.set(wireName(name, member, ec2), [name, member]);
  const value: Record<string, unknown> = {};
  for (const [key, child] of node.children) {
    const member = names.get(key);
    if (member === undefined) throw new WrongParameter('UnknownParameter', `The parameter ${path}${key} is not recognized`);
    value[member[0]] = readValue(child, member[1], ec2, `${path}${key}.`);
  }
  for (const name of requiredMembers(shape)) {
    if (value[name] === undefined) throw new WrongParameter('MissingParameter', `The request must contain the parameter ${path}${name}`);
  }
  return value;
}

function wireName(name: string, member: Shape, ec2: boolean): string {
  const { ec2QueryName, xmlName } = member.getMergedTraits() as { ec2QueryName?: string; xmlName?: string };
  if (!ec2) return xmlName ?? name;
  const given = ec2QueryName ?? xmlName ?? name;
  return `${given.charAt(0).toUpperCase()}${given.slice(1)}`;
}

function readValue(node: Node, shape: Shape, ec2: boolean, path: string): unknown {
  if (shape.isStructSchema()) return readStructure(node, shape, ec2, path);
  if (shape.isListSchema()) return readList(node, shape, ec2, path);
  const wrong = (): never => {
    throw new WrongParameter('InvalidParameterValue', `Value (${node.text}) for parameter ${path.slice(0, -1)} is invalid`);
  };
  if (node.text === null || node.children.size > 0) return wrong();
  if (shape.isBooleanSchema()) return node.text === 'true' || (node.text === 'false' ? false : wrong());
  if (shape.isNumericSchema()) return /^-?\d+(?:\.\d+)?$/.test(node.text) ? Number(node.text) : wrong();
  if (shape.isStringSchema()) return node.text;
  return wrong();
}

function readList(node: Node, shape: Shape, ec2: boolean, path: string): unknown[] {
  const flat = ec2 || 'xmlFlattened' in shape.getMergedTraits();
  const entries = flat ? node : node.children.get('member');
  if (entries === undefined || (!flat && node.children.size > 1)) throw new WrongParameter('MalformedQueryString', `The list ${path} is not written as one`);
  return Array.from({ length: entries.children.size }, (_, index) => {
    const child = entries.children.get(String(index + 1));
    if (child === undefined) throw new WrongParameter('MalformedQueryString', `The list ${path} has no entry ${index + 1}`);
    return readValue(child, shape.getValueSchema(), ec2, `${path}${index + 1}.`);
  });
}
