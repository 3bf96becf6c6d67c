/** The recording in the configuration: where it is written, when a file is full, what is kept, and the key. */
import { z } from 'zod';
import { ageSchema, durationSchema, sizeSchema, textSchema } from './values.ts';

/** A shorter key could be guessed. */
export const keyCharsMin = 16;

const bodyBytesMax = 67_108_864;

export const recordSchema = z
  .strictObject({
    directory: textSchema.describe('Folder of the recording, made when it is not there; one for each mirror.'),
    rotate: z
      .strictObject({
        size: sizeSchema.prefault('256MiB').describe('A file that is larger is closed, and a new one begun.'),
        every: durationSchema.prefault('1h').describe('A file that is older is closed, and a new one begun.'),
      })
      .transform(({ size, every }) => ({ bytes: size, ms: every }))
      .prefault({})
      .describe('When a new file is begun.'),
    retain: z
      .strictObject({
        size: sizeSchema.optional().describe('The oldest files are removed when all take more; absent, there is no such bound.'),
        age: ageSchema.optional().describe('Files are removed this long after they were written last; absent, there is no such bound.'),
      })
      .transform(({ size, age }) => ({ bytes: size, ageMs: age }))
      .prefault({})
      .describe('What is kept.'),
    bodyBytesMax: sizeSchema
      .refine((bytes) => bytes <= bodyBytesMax, { error: 'expected a size up to 64MiB' })
      .prefault('1MiB')
      .describe('Of a response with a longer body, the head alone is recorded.'),
    key: textSchema
      .min(keyCharsMin, { error: `expected at least ${keyCharsMin} characters` })
      .optional()
      .describe('Text from which the key is made that encrypts the recording (AES-256-GCM), at least 16 characters, such as `${DOUBLETAKE_RECORDING_KEY}`; absent, it is not encrypted.'),
    keyFile: textSchema.optional().describe('File with that text, instead of `key`.'),
  })
  .refine(({ key, keyFile }) => key === undefined || keyFile === undefined, { error: 'expected key or keyFile, not both', path: ['keyFile'] });
