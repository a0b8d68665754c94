import { spawnSync } from 'node:child_process'
import { accessSync, constants, cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/**
 * Builds the program of this checkout into `folder`, so that later edits do not change what is measured. Returns the
 * path of the entry script. Throws an `Error` with the builder's words.
 */
export function buildProgram(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const builder = join(root, 'node_modules/.bin/tsdown')
  const built = spawnSync(builder, ['-d', join(folder, 'dist'), '--no-dts', '--logLevel', 'error'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 180_000,
  })
  if (built.status !== 0)
    throw new Error(`the build failed: ${built.stderr || built.stdout || built.error?.message}`)
  for (const name of ['bin', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return entryOf(folder)
}

/** The entry script of a folder that holds a built program: `bin/` beside `dist/`. */
export function entryOf(folder: string): string {
  const entry = join(folder, 'bin/trawl.mjs')
  accessSync(entry, constants.R_OK)
  accessSync(join(folder, 'dist/cli.js'), constants.R_OK)
  return entry
}

/** Path of an installed program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  for (const folder of [...folders, '/usr/sbin', '/sbin']) {
    if (folder === '') continue
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

/** First line that a program prints about its version. */
export function versionOf(program: string, flag = '--version'): string {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8', timeout: 10_000 })
  return (stdout || stderr).split('\n')[0]?.trim() ?? ''
}
