/** Addresses to listen on, which users may give by name. */
import { lookup } from 'node:dns/promises';
import { DoubletakeError } from '../errors.ts';

/** The address of a name of this machine; rejects with a `DoubletakeError` when it is not known. */
export async function numericAddress(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new DoubletakeError(
      'DT_SOURCE_ADDRESS',
      `cannot listen on ${host}: the name is not known here; give an address of this machine, or 0.0.0.0 for all`,
      { cause: error },
    );
  }
}
