import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithVolumes } from '../../small-volume.ts'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, fingerprint, makeDataset, quick, trawlFor } from './job-case.ts'
import { photoOrigin, photos } from './photo-origin.ts'

const formats = ['files', 'webdataset', 'parquet'] as const

describeWithVolumes('a dataset on a full volume', (newVolume) => {
  test.for(formats)('%s: waits for room, and the shards are as ever', async (outputFormat) => {
    const origin = await photoOrigin(await photos(8))
    const urls = Array.from(
      { length: 160 },
      (_, i) => `${origin.url}/${i % 9 === 8 ? 'none' : `p${i % 8}`}.jpg`,
    )
    const options = { ...quick, tables: csvTable(urls), shardSize: 20, outputFormat } as const
    const volume = newVolume(1024)
    const dir = join(volume.path, 'out')
    const job = (await trawlFor()).dataset({ ...options, dir, spaceWaitMs: 60_000 })
    const told: string[] = []
    job.onEvent((event) => {
      if (event.type === 'volume.paused') volume.resize(64 * 1024)
      if (event.type.startsWith('volume.')) told.push(event.type)
    })
    expect(await job.result).toMatchObject({ status: 'partial', stats: { planned: 160, unfinished: 0 } })
    expect(told).toContain('volume.resumed')
    const whole = join(tempFolder(), 'out')
    await makeDataset({ ...options, dir: whole })
    expect(fingerprint(dir)).toEqual(fingerprint(whole))
  })

  test('without a wait the job ends, and the next one goes on', async () => {
    const origin = await photoOrigin(await photos(8))
    const urls = Array.from({ length: 80 }, (_, i) => `${origin.url}/p${i % 8}.jpg`)
    const volume = newVolume(768)
    const dir = join(volume.path, 'out')
    const options = { ...quick, tables: csvTable(urls), shardSize: 10, dir, spaceWaitMs: 0 } as const
    expect(await makeDataset(options)).toMatchObject({ status: 'failed', error: { code: 'ERR_NO_SPACE' } })
    volume.resize(64 * 1024)
    expect(await makeDataset(options)).toMatchObject({ status: 'done', stats: { planned: 80, failed: 0 } })
  })

  test('an interrupt ends the wait', async () => {
    const origin = await photoOrigin(await photos(8))
    const urls = Array.from({ length: 80 }, (_, i) => `${origin.url}/p${i % 8}.jpg`)
    const dir = join(newVolume(768).path, 'out')
    const options = { ...quick, tables: csvTable(urls), shardSize: 10, dir, spaceWaitMs: 600_000 } as const
    const job = (await trawlFor()).dataset(options)
    job.onEvent((event) => {
      if (event.type === 'volume.paused') void job.cancel({ drain: true })
    })
    expect((await job.result).stats.unfinished).toBeGreaterThan(0)
  })
})
