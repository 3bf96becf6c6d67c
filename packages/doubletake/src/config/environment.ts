/** Environment variables inside texts: `${NAME}` is the variable's value, `$$` is a dollar, any other `$` is itself. */

export interface Expansion {
  text: string;
  /** True when a variable's value is in the text, which then must not be printed. */
  fromEnvironment: boolean;
  problems: { at: string; message: string }[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\$|\$\{([^}]*)(\}?)/g;

export function expandEnvironment(text: string, environment: Environment): Expansion {
  const expansion: Expansion = { text, fromEnvironment: false, problems: [] };
  expansion.text = text.replace(reference, (match, name: string | undefined, close: string) => {
    if (name === undefined) return '$';
    if (close === '' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      expansion.problems.push({ at: match, message: 'expected ${NAME} with the name of an environment variable; a dollar itself is $$' });
      return match;
    }
    const value = environment[name];
    if (value === undefined) {
      expansion.problems.push({ at: match, message: `the environment variable ${name} is not set` });
      return match;
    }
    expansion.fromEnvironment = true;
    return value;
  });
  return expansion;
}
