import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        // They share nothing but the modules they read, so that these are read once in each worker.
        test: { name: 'units', include: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts'], isolate: false },
      },
      { extends: true, test: { name: 'end to end', include: ['packages/*/test/**/*.test.ts'] } },
    ],
  },
});
