/** Exit codes of every command; `interrupted` is what shells use for a program that Ctrl-C ended. */
export const ExitCode = { ok: 0, regression: 1, usage: 2, insufficient: 3, ledger: 4, interrupted: 130 } as const;
