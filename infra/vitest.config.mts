import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One process: loading CDK takes longer than the tests.
    pool: 'threads',
    poolOptions: { threads: { singleThread: true } },
    isolate: false,
    // A synthesis of all stacks takes seconds, more on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
