/** Lists that AWS hands out page by page, or takes part by part. */
import { DoubletakeError } from '../errors.ts';

/** The most that EC2 takes for `MaxResults`. */
export const ec2PageSize = 1_000;

/** More pages than any list of an account has: a token that never ends is AWS's mistake, and no reason to ask for ever. */
const pagesMax = 10_000;

/** All entries of all pages; `read` gets the token of a page. Rejects as `read` does, and with a `DoubletakeError`. */
export async function allPages<Output extends { NextToken?: string | undefined }, Entry>(
  read: (page: { NextToken?: string }) => Promise<Output>,
  entries: (output: Output) => readonly Entry[] | undefined,
): Promise<Entry[]> {
  const all: Entry[] = [];
  let token: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const output = await read(token === undefined ? {} : { NextToken: token });
    for (const entry of entries(output) ?? []) all.push(entry);
    token = output.NextToken;
    if (token === undefined || token === '') return all;
  }
  throw new DoubletakeError('DT_AWS_REFUSED', `a list of AWS has more than ${pagesMax} pages, or no end`);
}

/** `all` in parts of `size`; the last may be shorter. */
export function partsOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size));
}
