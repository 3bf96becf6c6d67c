/** The dashboard in the configuration: where it listens, who may see and change what, and what is shown. */
import { z } from 'zod';
import { listenSchemaFor, textSchema } from './values.ts';

/** Where the dashboard is when nothing is said: for this machine alone. */
export const dashboardListenDefault = '127.0.0.1:9090';

/** A shorter token could be guessed. */
export const tokenCharsMin = 16;
const tokenCharsMax = 1_000;
const hostsMax = 100;

const tokenSchema = textSchema
  .min(tokenCharsMin, { error: `expected at least ${tokenCharsMin} characters` })
  .max(tokenCharsMax, { error: `expected at most ${tokenCharsMax} characters` })
  // What is sent in a header.
  .regex(/^[!-~]*$/, { error: 'expected letters, digits and signs of ASCII, without spaces' });

const hostSchema = textSchema.regex(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/, { error: 'expected the name of a host, without a port, such as mirror.example.net' });

/** `[HOST:]PORT`; without a host, this machine alone. */
export const dashboardListenSchema = listenSchemaFor('127.0.0.1');

export const dashboardSchema = z
  .strictObject({
    listen: dashboardListenSchema
      .prefault(dashboardListenDefault)
      .describe('Address and port of the dashboard; without an address, 127.0.0.1. On an address that is not of the loopback interface, a token is asked for.'),
    operatorToken: tokenSchema
      .optional()
      .describe('Who has it may see and change everything: at least 16 characters, such as `${DOUBLETAKE_OPERATOR_TOKEN}`. Absent on an address that asks for tokens, one is made and printed at the start.'),
    operatorTokenFile: textSchema.optional().describe('File with that token, instead of `operatorToken`.'),
    readerToken: tokenSchema.optional().describe('Who has it may see everything and change nothing.'),
    readerTokenFile: textSchema.optional().describe('File with that token, instead of `readerToken`.'),
    tls: z
      .strictObject({
        certificate: textSchema.describe('PEM file with the certificate and those between it and the authority. Read again when it changes.'),
        key: textSchema.describe('PEM file with the key.'),
      })
      .optional()
      .describe('Serve the dashboard by https.'),
    hosts: z
      .array(hostSchema)
      .max(hostsMax)
      .default([])
      .describe('Names by which the dashboard is called in browsers, beside `localhost` and addresses: requests for any other name are refused.'),
    showUnsanitized: z
      .boolean()
      .default(false)
      .describe('Show contents of requests and answers also where `policy.sanitize` is absent, with all personal data and credentials in them.'),
  })
  .superRefine(({ operatorToken, operatorTokenFile, readerToken, readerTokenFile }, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', message, path: [key] });
    if (operatorToken !== undefined && operatorTokenFile !== undefined) refuse('operatorTokenFile', 'expected operatorToken or operatorTokenFile, not both');
    if (readerToken !== undefined && readerTokenFile !== undefined) refuse('readerTokenFile', 'expected readerToken or readerTokenFile, not both');
    if (readerToken !== undefined && readerToken === operatorToken) refuse('readerToken', 'expected another token than the operator\'s');
  });

export type DashboardConfig = z.output<typeof dashboardSchema>;
