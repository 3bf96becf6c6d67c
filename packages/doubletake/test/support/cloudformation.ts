/**
 * What CloudFormation makes of a template and parameters: conditions decided, functions replaced by their values. References
 * to resources become `NAME` and `NAME.ATTRIBUTE`, those to nothing an error.
 */
import { type CollectionTag, parse, type ScalarTag } from 'yaml';

export interface StackResource {
  Type: string;
  Properties: Record<string, unknown>;
  [attribute: string]: unknown;
}

type Values = Readonly<Record<string, string | number | readonly string[]>>;

const functionTags: (ScalarTag | CollectionTag)[] = ['Ref', 'GetAtt', 'Sub', 'If', 'Equals', 'Not', 'Or', 'Select', 'Split', 'Join'].flatMap(
  (name) => {
    const key = name === 'Ref' ? name : `Fn::${name}`;
    const scalar: ScalarTag = { tag: `!${name}`, resolve: (text: string) => ({ [key]: text }) };
    const list: CollectionTag = { tag: `!${name}`, collection: 'seq', resolve: (sequence) => ({ [key]: sequence.toJSON() as unknown }) };
    return [scalar, list];
  },
);

/** The template as it is written, with functions in their long form. */
export function parseTemplate(text: string): Record<string, unknown> {
  return parse(text, { customTags: functionTags }) as Record<string, unknown>;
}

const pseudo: Values = {
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::StackName': 'mirror',
};
const nothing = Symbol('AWS::NoValue');

/** The properties of a resource that has to be there. */
export function propertiesOf(resources: Readonly<Record<string, StackResource>>, name: string): Record<string, unknown> {
  const resource = resources[name];
  if (resource === undefined) throw new Error(`there is no resource ${name}`);
  return resource.Properties;
}

/** The script that an instance of a stack runs when it starts for the first time. */
export function userDataOf(resources: Readonly<Record<string, StackResource>>): string {
  const { LaunchTemplateData: data } = propertiesOf(resources, 'LaunchTemplate') as { LaunchTemplateData: { UserData: string } };
  return data.UserData;
}

/** The resources of a stack with these parameters, by their names; those whose condition does not hold are not there. */
export function resourcesOf(template: Record<string, unknown>, given: Values): Record<string, StackResource> {
  const declared = template['Parameters'] as Record<string, { Default?: string | number }>;
  const parameters: Record<string, string | number | readonly string[]> = { ...pseudo };
  for (const [name, { Default: preset }] of Object.entries(declared)) {
    const value = given[name] ?? preset;
    if (value === undefined) throw new Error(`parameter ${name} has no value`);
    parameters[name] = value;
  }
  const conditions = template['Conditions'] as Record<string, unknown>;
  const resources = template['Resources'] as Record<string, StackResource>;
  return Object.fromEntries(
    Object.entries(resources).flatMap(([name, resource]) => {
      const { Condition: condition } = resource;
      return typeof condition === 'string' && !holds(condition) ? [] : [[name, evaluate(resource) as StackResource]];
    }),
  );

  function holds(name: string): boolean {
    if (!(name in conditions)) throw new Error(`there is no condition ${name}`);
    return evaluate(conditions[name]) === true;
  }

  function reference(name: string): unknown {
    if (name === 'AWS::NoValue') return nothing;
    const [owner = ''] = name.split('.');
    if (name in parameters) return parameters[name];
    if (!(owner in resources)) throw new Error(`there is nothing called ${name}`);
    return name;
  }

  function evaluate(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(evaluate).filter((item) => item !== nothing);
    if (typeof value !== 'object' || value === null) return value;
    const [[key, argument] = ['', null]] = Object.entries(value);
    if (key === 'Ref' || key.startsWith('Fn::')) return call(key, argument);
    return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => {
      const evaluated = evaluate(inner);
      return evaluated === nothing ? [] : [[name, evaluated]];
    }));
  }

  function call(name: string, argument: unknown): unknown {
    if (name === 'Fn::If') {
      const [condition, yes, no] = argument as [string, unknown, unknown];
      return evaluate(holds(condition) ? yes : no);
    }
    if (name === 'Fn::Sub') return substitute(argument);
    const known = evaluate(argument);
    const list = Array.isArray(known) ? known : [known];
    switch (name) {
      case 'Ref':
      case 'Fn::GetAtt':
        return reference(list.join('.'));
      case 'Fn::Base64':
        return known;
      case 'Fn::Equals':
        return String(list[0]) === String(list[1]);
      case 'Fn::Not':
        return list[0] !== true;
      case 'Fn::Or':
        return list.includes(true);
      case 'Fn::Split':
        return String(list[1]).split(String(list[0]));
      case 'Fn::Select':
        return (list[1] as unknown[])[Number(list[0])];
      default:
        throw new Error(`${name} is not known here`);
    }
  }

  function substitute(argument: unknown): string {
    const [text, words] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
    const own = evaluate(words) as Record<string, unknown>;
    return text.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) =>
      name.startsWith('!') ? `\${${name.slice(1)}}` : String(name in own ? own[name] : reference(name)),
    );
  }
}
