import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A folder of test data that may lie beside the repository, in `shared/fixtures`; undefined where it does not. */
export function sharedFixtures(name: string): string | undefined {
  let folder = import.meta.dirname
  for (;;) {
    const candidate = join(folder, 'shared', 'fixtures', name)
    if (existsSync(candidate)) return candidate
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
}
