import { delimiter } from 'node:path'
import { defineConfig } from 'vitest/config'
import { closingLine } from './scripts/closing-line.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', closingLine],
    // Servers that tests start stand where the search path of ordinary users does not lead.
    env: { PATH: [process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter) },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    // A rejection nobody handled is a defect of the program, not of the test that happened to run.
    dangerouslyIgnoreUnhandledErrors: false,
  },
})
