import { parse } from '@cdktf/hcl2json';
import { beforeAll, describe, expect, test } from 'vitest';
import { version } from '../version.ts';
import { parameterGroups } from './cloudformation/parameters.ts';
import { cloudFormationTemplate } from './cloudformation/template.ts';
import { terraformModule } from './terraform.ts';

const template = cloudFormationTemplate(version());
const parameters = parameterGroups(version()).flatMap((group) => group.parameters);
const text = terraformModule(template, parameters);

interface Variable {
  type: string;
  description: string;
  default?: string | number | boolean;
  validation?: { condition: string; error_message: string }[];
}

interface Module {
  variable: Record<string, [Variable]>;
  resource: { aws_cloudformation_stack: { doubletake: [{ parameters: Record<string, string>; template_body: string; capabilities: string[] }] } };
  output: Record<string, [{ value: string }]>;
}

let module: Module;

beforeAll(async () => {
  module = (await parse('main.tf', text)) as unknown as Module;
});

test('the module', async () => {
  await expect(text).toMatchFileSnapshot('../../../../deploy/terraform/main.tf');
});

describe('as Terraform reads it', () => {
  test('it runs the very template, which is short enough to be sent as it is', () => {
    const [{ template_body: body, capabilities }] = module.resource.aws_cloudformation_stack.doubletake;
    expect(body.replaceAll('$${', '${').replaceAll('%%{', '%{')).toBe(template);
    expect(capabilities).toEqual(['CAPABILITY_IAM']);
    // The limit of CreateStack for a template that is not in a bucket.
    expect(Buffer.byteLength(template)).toBeLessThan(51_200);
  });

  test('every parameter is given, by a variable of its own', () => {
    const [{ parameters: given }] = module.resource.aws_cloudformation_stack.doubletake;
    expect(Object.keys(given).toSorted()).toEqual(parameters.map(({ name }) => name).toSorted());
    const variables = Object.values(given).map((expression) => /\bvar\.(\w+)/.exec(expression)?.[1] ?? expression);
    expect([...variables, 'name'].toSorted()).toEqual(Object.keys(module.variable).toSorted());
    expect(given).toMatchObject({ HandlerSubnetIds: '${join(",", var.handler_subnet_ids)}', TrafficMirroringVNI: '${var.traffic_mirroring_vni}' });
  });

  test('variables have the defaults and the types of the parameters', () => {
    const [{ parameters: given }] = module.resource.aws_cloudformation_stack.doubletake;
    const read = parameters.map(({ name }) => {
      const [variable] = module.variable[/\bvar\.(\w+)/.exec(given[name] ?? '')?.[1] ?? ''] ?? [];
      return { name, type: variable?.type, default: variable?.default === undefined ? undefined : String(variable.default) };
    });
    const type = (parameter: (typeof parameters)[number]): string => {
      if (parameter.type.startsWith('List<')) return '${list(string)}';
      if (parameter.type === 'Number') return '${number}';
      return parameter.values?.join(' ') === 'true false' ? '${bool}' : '${string}';
    };
    expect(read).toEqual(parameters.map((each) => ({ name: each.name, type: type(each), default: each.default === undefined ? undefined : String(each.default) })));
  });

  test('outputs are those of the stack', () => {
    const used = Object.values(module.output).map(([{ value }]) => /outputs\["(\w+)"\]/.exec(value)?.[1]);
    for (const name of used) expect(template).toMatch(new RegExp(`^Outputs:[^]*^  ${name}:$`, 'm'));
  });
});
