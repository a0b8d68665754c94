import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TrawlError } from '../../../src/core/index.ts'
import {
  openShardPlan,
  planDataset,
  type PlanManifest,
  type ShardRow,
} from '../../../src/datasets/plan/index.ts'
import {
  failedSample,
  goodSample,
  unreadableSample,
  type Sample,
  type SampleLayout,
  type SampleRun,
} from '../../../src/datasets/samples/index.ts'
import { createShardWriter, type FinishedSample } from '../../../src/datasets/shards/index.ts'
import { tinyJpeg } from '../samples/sample-case.ts'
import { tempFolder } from '../temp-folder.ts'

/** Which rows fail, and how. */
export type Weather = (row: ShardRow) => TrawlError | undefined

/** Every seventh URL is gone, every fifth answers 503. */
export const storm: Weather = (row) => {
  const number = Number(row.url.split('-')[1])
  if (number % 7 === 0) return new TrawlError('ERR_HTTP_NOT_FOUND', 'x', { context: { status: 404 } })
  if (number % 5 === 0) return new TrawlError('ERR_HTTP_SERVER', 'x', { context: { status: 503 } })
  return undefined
}

/** As the storm, but the servers that answered 503 are back. */
export const calm: Weather = (row) => {
  const error = storm(row)
  return error?.code === 'ERR_HTTP_SERVER' ? undefined : error
}

export interface DatasetCase {
  readonly out: string
  readonly manifest: PlanManifest
  readonly layout: SampleLayout
}

/** A plan of 45 rows in 3 shards of 20; the last row of the table is torn. */
export async function planCase(patch: Partial<SampleLayout> = {}): Promise<DatasetCase> {
  const rows = Array.from(
    { length: 44 },
    (_, i) => `http://h${i % 4}.test/photo-${i},"caption ${i}",${i / 8}`,
  )
  const table = join(tempFolder(), 'table.csv')
  writeFileSync(table, `url,caption,score\n${rows.join('\n')}\ntorn\n`)
  const out = join(tempFolder(), 'out')
  const manifest = await planDataset({
    tables: [table],
    urlCol: 'url',
    captionCol: 'caption',
    saveColumns: ['score'],
    shardSize: 20,
    shardDigits: 5,
    durability: 'none',
    out,
  })
  const layout: SampleLayout = {
    outputFormat: 'webdataset',
    encodeFormat: 'jpg',
    captions: true,
    columns: manifest.parts[0]?.columns ?? [],
    digest: 'sha256',
    exif: true,
    phash: false,
    ...patch,
  }
  return { out, manifest, layout }
}

/** What became of a row in such weather. */
export function fetchRow(row: ShardRow, weather: Weather): FinishedSample {
  const run: SampleRun = {
    attempts: 1,
    startedAtMs: 1_700_000_000_000 + row.index * 1000,
    durationMs: 200,
    fetchedBytes: 500,
  }
  return { sample: sampleOf(row, weather), run }
}

function sampleOf(row: ShardRow, weather: Weather): Sample {
  const error = weather(row)
  const image = Buffer.concat([tinyJpeg, Buffer.from(row.url)])
  const facts = {
    widthPx: 256,
    heightPx: 128 + (row.index % 8) * 32,
    originalWidthPx: 1000,
    originalHeightPx: 500 + row.index * 10,
    digest: 'cd'.repeat(32),
    httpStatus: 200,
    finalUrl: `${row.url}/final`,
    contentType: 'image/jpeg',
    originalFormat: 'jpeg',
    originalBytes: 20_000 + row.index,
  }
  return (
    unreadableSample(row) ?? (error ? failedSample(row, error) : goodSample(row, image, image.length, facts))
  )
}

/** Makes shards as a worker would; by default all of them. */
export async function makeShards(
  given: DatasetCase,
  weather: Weather,
  shards?: readonly number[],
): Promise<void> {
  const plan = openShardPlan(given.out, given.manifest)
  for (const shard of shards ?? Array.from({ length: given.manifest.shardCount }, (_, i) => i)) {
    const rows = await plan.rows(shard)
    const writer = await createShardWriter({
      folder: given.out,
      shard,
      naming: given.manifest,
      layout: given.layout,
      rows: rows.length,
      planHash: given.manifest.parts[0]?.hash ?? '',
      durability: 'none',
    })
    for (const row of rows) {
      const { sample, run } = fetchRow(row, weather)
      await writer.add(sample, run)
    }
    await writer.finish()
  }
  await plan.close()
}
