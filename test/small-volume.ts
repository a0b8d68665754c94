import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'

/** A file system of its own, so that it can be full or read-only without harm to anything else. */
export interface SmallVolume {
  readonly path: string
  /** Makes it larger or smaller, in KiB. */
  resize(sizeKiB: number): void
  setReadOnly(isReadOnly: boolean): void
}

function mount(...args: string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore', timeout: 10_000 }).status === 0
}

/** A volume in memory; undefined where this user may not mount any. Unmount with `release`. */
function makeVolume(sizeKiB: number): (SmallVolume & { readonly release: () => void }) | undefined {
  const path = mkdtempSync(join(tmpdir(), 'trawl-volume-'))
  if (process.platform !== 'linux' || !mount('-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'trawl-test', path)) {
    rmSync(path, { recursive: true })
    return undefined
  }
  const remount = (options: string): void => {
    if (!mount('-o', `remount,${options}`, path))
      throw new Error(`${path} could not be mounted with ${options}`)
  }
  return {
    path,
    resize: (size) => remount(`size=${size}k`),
    setReadOnly: (isReadOnly) => remount(isReadOnly ? 'ro' : 'rw'),
    release() {
      spawnSync('umount', ['-l', path], { stdio: 'ignore', timeout: 10_000 })
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/**
 * A `describe` that needs volumes of its own. Where none can be mounted (it takes root on Linux) the block is skipped
 * and its title says why; with TRAWL_REQUIRE_ALL=1 it fails instead.
 */
export function describeWithVolumes(
  title: string,
  body: (newVolume: (sizeKiB: number) => SmallVolume) => void,
): void {
  const trial = makeVolume(64)
  trial?.release()
  if (trial === undefined) {
    if (process.env['TRAWL_REQUIRE_ALL'] === '1')
      throw new Error(`${title}: this user may not mount a volume`)
    describe.skip(`${title} (needs the right to mount)`, () => body(() => ({}) as never))
    return
  }
  describe(title, () => {
    const releases: (() => void)[] = []
    afterAll(() => releases.forEach((release) => release()))
    body((sizeKiB) => {
      const volume = makeVolume(sizeKiB)
      if (!volume) throw new Error('no further volume could be mounted')
      releases.push(volume.release)
      return volume
    })
  })
}
