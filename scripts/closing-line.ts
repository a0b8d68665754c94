import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends a run of tests with one plain line, such as `812 passed, 0 failed, 3 skipped`, for programs that read logs.
 * A file that could not be loaded and an error outside of any test count as failed too.
 */
export const closingLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      counts.failed += errorsOutsideTests(module)
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === 'pending' ? 'skipped' : state]++
      }
    }
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
  },
}

function errorsOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()]
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0)
}
