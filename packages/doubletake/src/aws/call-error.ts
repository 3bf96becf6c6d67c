/** A call that AWS did not do, as a line for people. */
import { DoubletakeError } from '../errors.ts';
import { type ApiError, readApiError } from './api-error.ts';
import { policyFor } from './permissions.ts';

/** `operation` is the action as policies name it, such as `ec2:DescribeInstances`. */
export function callError(operation: string, error: unknown): DoubletakeError {
  if (error instanceof DoubletakeError) return error;
  const { code, text } = explained(operation, readApiError(error));
  return new DoubletakeError(code, text, { cause: error });
}

/** The code of our own errors, and what it says. */
export function explained(operation: string, error: ApiError): { code: string; text: string } {
  switch (error.kind) {
    case 'permission': {
      const action = error.action ?? operation;
      return {
        code: 'DT_AWS_PERMISSION',
        text: `the credentials may not do ${action} (${error.code}); let their policy allow it: ${JSON.stringify(policyFor([action]))}`,
      };
    }
    case 'credentials':
      return {
        code: 'DT_AWS_CREDENTIALS',
        text: `AWS takes no call with these credentials, or there are none (${error.code}): sign in, or set AWS_PROFILE; \`aws sts get-caller-identity\` finds them in the same places`,
      };
    case 'throttled':
    case 'transient':
      return { code: 'DT_AWS_UNAVAILABLE', text: `${operation} got no answer, however often it was asked (${error.code}): ${error.message}` };
    case 'unreachable':
      return { code: 'DT_AWS_UNAVAILABLE', text: `${operation} did not reach AWS: ${error.message}; is there such a region, and a way to it?` };
    case 'not-found':
    case 'refused':
      return { code: 'DT_AWS_REFUSED', text: `${operation} was refused (${error.code}): ${error.message}` };
  }
}
