import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { describe } from 'vitest'

const requireAll = process.env['TRAWL_REQUIRE_ALL'] === '1'

/** Absolute path of a program, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  if (isAbsolute(name)) return existsSync(name) ? name : undefined
  for (const dir of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    if (dir !== '' && existsSync(join(dir, name))) return join(dir, name)
  }
  return undefined
}

/** True when `python3 -c 'import module'` works. */
export function hasPythonModule(module: string): boolean {
  return spawnSync('python3', ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}

/**
 * A `describe` that needs outside programs. Where one is missing the block is skipped and its title says which;
 * with TRAWL_REQUIRE_ALL=1 nothing may skip: the missing program fails the run.
 */
export function describeWith(programs: readonly string[], title: string, body: () => void): void {
  const missing = programs.filter((name) =>
    name.startsWith('python:') ? !hasPythonModule(name.slice(7)) : findProgram(name) === undefined,
  )
  if (missing.length === 0) return void describe(title, body)
  if (requireAll) throw new Error(`${title}: not installed: ${missing.join(', ')}`)
  describe.skip(`${title} (needs ${missing.join(', ')})`, body)
}
