/** Holds a request in JSON against the SDK's model. */
import { requiredMembers, type Shape, WrongParameter } from './sdk-model.ts';

export function checkJsonInput(value: unknown, shape: Shape, path = ''): void {
  const wrong = (): never => {
    throw new WrongParameter('ValidationException', `${path}: ${JSON.stringify(value)} is not what ${shape.getName()} wants`);
  };
  if (shape.isStructSchema()) {
    if (typeof value !== 'object' || value === null) return wrong();
    const members = new Map(shape.structIterator());
    for (const [name, inner] of Object.entries(value)) {
      const member = members.get(name);
      if (member === undefined) throw new WrongParameter('ValidationException', `${path}.${name} is not known`);
      checkJsonInput(inner, member, `${path}.${name}`);
    }
    for (const name of requiredMembers(shape)) if (!Object.hasOwn(value, name)) throw new WrongParameter('ValidationException', `${path}.${name} is missing`);
    return undefined;
  }
  if (shape.isListSchema()) {
    if (!Array.isArray(value)) return wrong();
    value.forEach((inner, index) => checkJsonInput(inner, shape.getValueSchema(), `${path}[${index}]`));
    return undefined;
  }
  const kind = shape.isBooleanSchema() ? 'boolean' : shape.isNumericSchema() || shape.isTimestampSchema() ? 'number' : shape.isStringSchema() ? 'string' : null;
  if (kind !== null && typeof value !== kind) wrong();
  return undefined;
}
