/** The JSON Schema of the configuration file, as users write it. */
import { z } from 'zod';
import { mirrorSchema } from './schema.ts';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(mirrorSchema, { io: 'input', reused: 'inline' });
  return { title: 'doubletake configuration', ...schema };
}
