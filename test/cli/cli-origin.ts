import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach } from 'vitest'
import { createFaultOrigin, type FaultOrigin } from '../../src/testing/index.ts'

/**
 * One fault origin for all tests of a file, to be awaited at its top. Before each test its counts begin anew, and `serve`
 * gives it what it has.
 */
export async function useOrigin(serve: (origin: FaultOrigin) => void = () => {}): Promise<FaultOrigin> {
  const origin = await createFaultOrigin()
  afterAll(() => origin.close())
  beforeEach(() => {
    origin.reset()
    serve(origin)
  })
  return origin
}

/** The names in an output folder but that of our own state, sorted; none where there is no folder. */
export function fileNames(dir: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => name !== '.trawl')
    .toSorted()
}

/** Waits until something holds, ten seconds at most. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}
