/** How a resource says whose it is: a tag that is set in the very call that makes it. Nothing without it is ever changed. */

/** The tag's value is `aws.name` of the configuration. */
export const ownerTag = 'doubletake:owner';

export type Tags = Readonly<Record<string, string>>;

export function isOwnedBy(tags: Tags, name: string): boolean {
  return Object.hasOwn(tags, ownerTag) && tags[ownerTag] === name;
}

/** The tags of what is made for `name`: whose it is, and what the console shows. */
export function tagsOf(name: string): Tags {
  return { [ownerTag]: name, Name: name };
}
