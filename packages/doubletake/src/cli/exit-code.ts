/** Exit codes of every command. */
export const ExitCode = { ok: 0, regression: 1, usage: 2, insufficient: 3, ledger: 4 } as const;
