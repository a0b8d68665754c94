import { statfsSync } from 'node:fs'

/** Bytes that the volume of a path has room for; undefined where it does not say. */
export function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return undefined
  }
}
