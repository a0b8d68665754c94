import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Job } from '../../src/jobs/index.ts'
import { createTrawl, type Trawl } from '../../src/session/index.ts'
import { setPages, useBookOrigin } from '../books/book-origin.ts'
import { describeWithVolumes, type SmallVolume } from '../small-volume.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const origin = useBookOrigin()
const newFolder = tempFolders()

describeWithVolumes('a volume without room for the state of a job', (newVolume) => {
  function fullVolume(): SmallVolume & { readonly fill: string } {
    const volume = newVolume(8192)
    const fill = join(volume.path, 'fill')
    writeFileSync(fill, Buffer.alloc(8 * 1024 * 1024 - 8192))
    for (let left = 4096; left >= 1; left /= 2) {
      try {
        writeFileSync(join(volume.path, `fill-${left}`), Buffer.alloc(left))
      } catch {
        // It has no room for so much.
      }
    }
    return { ...volume, fill }
  }

  /** Starts a job of each kind. */
  async function start(
    kind: 'get' | 'book',
    trawl: Trawl,
    options: { readonly dir: string; readonly spaceWaitMs: number },
  ): Promise<Job<unknown>> {
    const { list } = await setPages(origin, 2)
    if (kind === 'get') return trawl.get(list.text.trim().split('\n'), options)
    const path = join(newFolder(), 'pages.txt')
    writeFileSync(path, list.text)
    return trawl.book([path], { ...options, imageList: true, formats: ['cbz'] })
  }

  const paused = (job: Job<unknown>): Promise<void> =>
    new Promise((resolve) => job.onEvent((event) => event.type === 'volume.paused' && resolve()))

  test.each(['get', 'book'] as const)('%s waits for room, and goes on by itself', async (kind) => {
    const volume = fullVolume()
    await using trawl = await createTrawl()
    const job = await start(kind, trawl, { dir: volume.path, spaceWaitMs: 60_000 })
    await paused(job)
    rmSync(volume.fill)
    const { status, stats } = await job.result
    expect([status, stats.ok, stats.failed]).toEqual(['done', 2, 0])
  })

  test.each(['get', 'book'] as const)('%s ends when the wait is over or nobody wants it', async (kind) => {
    const volume = fullVolume()
    await using trawl = await createTrawl()
    const impatient = await start(kind, trawl, { dir: volume.path, spaceWaitMs: 0 })
    expect(await impatient.result).toMatchObject({ status: 'failed', error: { code: 'ERR_NO_SPACE' } })
    const job = await start(kind, trawl, { dir: volume.path, spaceWaitMs: 60_000 })
    await paused(job)
    await job.cancel()
    expect(await job.result).toMatchObject({ status: 'cancelled' })
    rmSync(volume.fill)
    const after = await start(kind, trawl, { dir: volume.path, spaceWaitMs: 0 })
    expect((await after.result).status).toBe('done')
  })
})
