/** The rules in force and the differences that were accepted: those of the configuration, and those of the rules file. */
import type { CompareConfig, CompareRule } from '../config/compare-schema.ts';
import type { AcceptedDifference, RulesChange } from '../config/rules-edit.ts';
import { changeRulesFile, readRulesFile, type RulesFile } from '../config/rules-file.ts';
import { DoubletakeError } from '../errors.ts';

export class RulesBook {
  readonly #configured: readonly CompareRule[];
  /** Null when there is none. */
  readonly file: string | null;
  readonly #names: ReadonlySet<string>;
  #ofFile: RulesFile;

  /** Reads the file. Throws as `read`. */
  constructor({ rules, rulesFile }: CompareConfig) {
    this.#configured = rules;
    this.#names = new Set(rules.map(({ name }) => name));
    this.file = rulesFile ?? null;
    this.#ofFile = this.read();
  }

  /** What is in the file now. Throws a `DoubletakeError` with all that is wrong in it. */
  read(): RulesFile {
    return this.file === null ? { rules: [], accepted: [] } : readRulesFile(this.file, this.#names);
  }

  /** What was read holds from now on. */
  use(ofFile: RulesFile): void {
    this.#ofFile = ofFile;
  }

  /** The configuration's first. */
  get rules(): readonly CompareRule[] {
    return [...this.#configured, ...this.#ofFile.rules];
  }

  get accepted(): readonly AcceptedDifference[] {
    return this.#ofFile.accepted;
  }

  get acceptedIds(): readonly string[] {
    return this.#ofFile.accepted.map(({ cluster }) => cluster);
  }

  /** Whether a rule of this name is in the configuration itself. */
  isConfigured(name: string): boolean {
    return this.#names.has(name);
  }

  /** Changes the file. Rejects, with everything as it was, as `changeRulesFile` does, and DT_RULES_FILE without a file. */
  async change(change: RulesChange): Promise<void> {
    if (this.file === null) {
      throw new DoubletakeError(
        'DT_RULES_FILE',
        'this is written to the rules file, and there is none: set compare.rulesFile in the configuration to the file that it shall be, and restart',
      );
    }
    if (change.type === 'removeRule' && this.isConfigured(change.name)) {
      throw new DoubletakeError('DT_RULES_FILE', `${change.name} is a rule of the configuration: remove it there, and restart`);
    }
    this.#ofFile = await changeRulesFile(this.file, this.#names, change);
  }
}
