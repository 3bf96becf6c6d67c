/** When endpoints began to be judged anew, since what holds for them was changed: for the report's warnings. */

const notesMax = 5;
const namesMax = 3;

export class JudgedAnew {
  /** The latest first. */
  #notes: string[] = [];

  /** `timeUs` is since the epoch. */
  note(endpoints: ReadonlySet<string>, timeUs: number): void {
    const named = [...endpoints].slice(0, namesMax).join(', ');
    const more = endpoints.size > namesMax ? ` and ${endpoints.size - namesMax} other endpoints` : '';
    const time = new Date(timeUs / 1_000).toISOString();
    const note = `${named}${more}: judged anew since ${time}, when rules or accepted differences were changed; what was seen before counts no more`;
    this.#notes = [note, ...this.#notes].slice(0, notesMax);
  }

  texts(): readonly string[] {
    return this.#notes;
  }
}
