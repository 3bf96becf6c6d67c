import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One more than CI has processors: tests of whole programs wait for them much of their time.
    maxWorkers: 3,
    projects: [
      // Pure code and sockets of its own: nothing in one file depends on another, and a worker for each would cost more than they do.
      { extends: true, test: { name: 'units', include: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts'], isolate: false } },
      { extends: true, test: { name: 'programs', include: ['packages/*/test/**/*.test.ts'] } },
    ],
  },
});
