import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const memoryFileSystem = '/dev/shm'
const prefix = 'trawl-bench-'

/** Where benchmarks put their files: in memory where there is a memory file system, else in the temporary folder. */
export function benchRoot(): { readonly path: string; readonly inMemory: boolean } {
  const inMemory = existsSync(memoryFileSystem)
  return { path: inMemory ? memoryFileSystem : tmpdir(), inMemory }
}

/** Makes a new folder and empties what earlier, killed runs have left. Only the holder of the lock may call it. */
export function makeBenchFolder(): string {
  const { path } = benchRoot()
  for (const name of readdirSync(path)) {
    if (name.startsWith(prefix)) rmSync(join(path, name), { recursive: true, force: true })
  }
  return mkdtempSync(join(path, prefix))
}

/** An empty folder of this name; what was in it is removed. */
export function emptyFolder(parent: string, name: string): string {
  const folder = join(parent, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  return folder
}
