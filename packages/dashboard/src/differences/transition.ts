/** What one kind of value became, as the server names it (`200 -> 500`), with the arrow that the page writes everywhere. */
export function transitionText(transition: string | null): string | null {
  return transition === null ? null : transition.replace(' -> ', ' → ');
}
