import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
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
function hasPythonModule(module: string): boolean {
  return spawnSync('python3', ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}

/** True when a package of `devDependencies` is installed. */
function hasPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

function isThere(name: string): boolean {
  if (name.startsWith('python:')) return hasPythonModule(name.slice('python:'.length))
  if (name.startsWith('npm:')) return hasPackage(name.slice('npm:'.length))
  return findProgram(name) !== undefined
}

/**
 * A `describe` that needs outside programs, modules of Python (`python:NAME`) or packages (`npm:NAME`). Where one is
 * missing the block is skipped and its title says which; with TRAWL_REQUIRE_ALL=1 nothing may skip: the missing program
 * fails the run.
 */
export function describeWith(programs: readonly string[], title: string, body: () => void): void {
  const missing = programs.filter((name) => !isThere(name))
  if (missing.length === 0) return void describe(title, body)
  if (requireAll) throw new Error(`${title}: not installed: ${missing.join(', ')}`)
  describe.skip(`${title} (needs ${missing.join(', ')})`, body)
}
