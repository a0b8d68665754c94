import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const path = join(tmpdir(), 'trawl-bench.lock')

/**
 * Takes the lock of this machine: two benchmarks at one time would measure each other. Returns what gives it back.
 * Throws an `Error` that names the other process. The lock of a process that is gone is taken over.
 */
export function takeBenchLock(): () => void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error
      const holder = readHolder()
      if (isRunning(holder)) {
        throw new Error(`another benchmark is running: process ${holder}, lock ${path}`, { cause: error })
      }
      rmSync(path, { force: true })
    }
  }
  throw new Error(`the lock ${path} is wanted by several processes; try again`)
}

function readHolder(): number {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    // Given back meanwhile.
    return 0
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
