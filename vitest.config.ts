import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    // A rejection nobody handled is a defect of the program, not of the test that happened to run.
    dangerouslyIgnoreUnhandledErrors: false,
  },
})
