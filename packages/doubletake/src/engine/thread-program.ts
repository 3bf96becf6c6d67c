/** Where the program of a thread of this folder is: beside this file, in the form in which this file runs. */
export function threadProgram(name: 'worker' | 'relay-thread' | 'analysis-thread' | 'recording-thread'): URL {
  return new URL(`./${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
}
