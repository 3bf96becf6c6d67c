/** What the server says in words, as a sentence: `nothing has arrived yet` as `Nothing has arrived yet.` */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return text === '' || /[.!?…]$/.test(text) ? begun : `${begun}.`;
}
