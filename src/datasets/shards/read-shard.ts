import { join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { openTar, type TarReader } from '../../pack/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import { openParquet, type ParquetFile } from '../parquet/index.ts'
import type { ShardPlan, ShardRow } from '../plan/index.ts'
import {
  isRowCode,
  sampleNamer,
  type Sample,
  type SampleFacts,
  type SampleImage,
  type SampleLayout,
  type SampleRun,
} from '../samples/index.ts'

/** A sample of a finished shard, and how its run went. */
export interface FinishedSample {
  readonly sample: Sample
  readonly run: SampleRun
}

export interface ReadShardOptions {
  /** The output folder. */
  readonly out: string
  readonly shard: number
  readonly plan: ShardPlan
  readonly layout: SampleLayout
  /** Which images to read, by how many successes of the shard came before; the others have none. Default all. */
  readonly wantsImage?: (successes: number) => boolean
}

/**
 * Reads a finished shard back in plan order: rows from the plan, facts from the metadata, images from the container.
 * Written again, the samples give the same bytes. Holds one row group. Throws ERR_PACK_DAMAGED where container and
 * metadata do not fit each other, ERR_INPUT_UNREADABLE, and storage errors.
 */
export async function* readShard(options: ReadShardOptions): AsyncIterableIterator<FinishedSample> {
  const { out, shard, plan, layout } = options
  const files = shardFiles(shardName(shard, plan.manifest))
  const metadata = await RowCursor.open(join(out, files.parquet))
  let log: RowCursor | undefined
  let images: ImageSource | undefined
  try {
    log = await RowCursor.open(join(out, files.log))
    images = openImages(options)
    const count = plan.rowCount(shard)
    let successes = 0
    const step = 10_000
    for (let start = 0; start < count; start += step) {
      for (const row of await plan.rows(shard, { start, end: start + step })) {
        const facts = await metadata.next(row.key)
        const wanted = facts['status'] === 'success' && (options.wantsImage?.(successes++) ?? true)
        const image = wanted ? images.next(row, facts) : undefined
        yield { sample: sampleOf(row, facts, { layout, image }), run: runOf(await log.next(row.key)) }
      }
    }
  } finally {
    images?.close()
    await log?.close()
    await metadata.close()
  }
}

/** Rows of a Parquet file one by one, a row group in memory. */
class RowCursor {
  readonly #file: ParquetFile
  #group = 0
  #start = 0
  #rows: Record<string, unknown>[] = []
  #at = 0

  private constructor(file: ParquetFile) {
    this.#file = file
  }

  static async open(path: string): Promise<RowCursor> {
    return new RowCursor(await openParquet(path))
  }

  /** The next row, which must have this key. */
  async next(key: string): Promise<Record<string, unknown>> {
    while (this.#at >= this.#rows.length) {
      const count = this.#file.rowGroups[this.#group++]
      if (count === undefined) throw mismatch(this.#file.path, `no row for ${key}`)
      this.#rows = await this.#file.read({ start: this.#start, end: this.#start + count })
      this.#start += count
      this.#at = 0
    }
    const row = this.#rows[this.#at++]
    if (row?.['key'] !== key)
      throw mismatch(this.#file.path, `${String(row?.['key'])} stands where ${key} was due`)
    return row
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

interface ImageSource {
  /** The image of a success; rows are asked for in plan order. */
  next(row: ShardRow, metadata: Record<string, unknown>): SampleImage | undefined
  close(): void
}

function openImages({ out, shard, plan, layout }: ReadShardOptions): ImageSource {
  const name = shardName(shard, plan.manifest)
  if (layout.outputFormat === 'webdataset') return tarImages(join(out, shardFiles(name).tar), layout)
  if (layout.outputFormat === 'parquet')
    return { next: (_row, metadata) => columnImage(metadata, layout), close() {} }
  const nameOf = sampleNamer(name, layout)
  return {
    next(row) {
      const { folder, base } = nameOf(row)
      return { path: join(out, folder, `${base}.${layout.encodeFormat}`) }
    },
    close() {},
  }
}

/** Samples lie in the tar in plan order, so one pass finds them all. */
function tarImages(path: string, layout: SampleLayout): ImageSource {
  const tar: TarReader = openTar(path)
  const members = tar.members()
  return {
    next(row) {
      const wanted = `${row.key}.${layout.encodeFormat}`
      for (let item = members.next(); item.done !== true; item = members.next()) {
        if (item.value.name === wanted) return tar.read(item.value)
      }
      throw mismatch(path, `no member ${wanted}`)
    },
    close: () => tar.close(),
  }
}

function columnImage(metadata: Record<string, unknown>, layout: SampleLayout): Uint8Array | undefined {
  const image = layout.parquetImages === 'struct' ? metadata['image'] : metadata[layout.encodeFormat]
  if (image instanceof Uint8Array) return image
  const bytes = typeof image === 'object' && image !== null && 'bytes' in image ? image.bytes : undefined
  return bytes instanceof Uint8Array ? bytes : undefined
}

function sampleOf(
  row: ShardRow,
  metadata: Record<string, unknown>,
  given: { readonly layout: SampleLayout; readonly image: SampleImage | undefined },
): Sample {
  const status = metadata['status']
  const code = metadata['error_code']
  return {
    row,
    status: status === 'success' || status === 'failed_to_resize' ? status : 'failed_to_download',
    errorCode: typeof code === 'string' && isRowCode(code) ? code : null,
    errorMessage: textOf(metadata['error_message']) ?? null,
    ...(given.image === undefined ? {} : { image: given.image }),
    imageBytes: numberOf(metadata['image_bytes']) ?? null,
    facts: factsOf(metadata, given.layout),
  }
}

function factsOf(metadata: Record<string, unknown>, layout: SampleLayout): SampleFacts {
  const facts: Record<keyof SampleFacts, unknown> = {
    widthPx: numberOf(metadata['width']),
    heightPx: numberOf(metadata['height']),
    originalWidthPx: numberOf(metadata['original_width']),
    originalHeightPx: numberOf(metadata['original_height']),
    exif: textOf(metadata['exif']),
    digest: textOf(metadata[layout.digest]),
    phash: textOf(metadata['phash']),
    httpStatus: numberOf(metadata['http_status']),
    finalUrl: textOf(metadata['final_url']),
    contentType: textOf(metadata['content_type']),
    originalFormat: textOf(metadata['original_format']),
    originalBytes: numberOf(metadata['original_bytes']),
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was made of the type of its field
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as SampleFacts
}

function runOf(log: Record<string, unknown>): SampleRun {
  const started = log['started_at']
  const error = textOf(log['error'])
  return {
    attempts: numberOf(log['attempts']) ?? 0,
    startedAtMs: started instanceof Date ? started.getTime() : 0,
    durationMs: numberOf(log['duration_ms']) ?? 0,
    fetchedBytes: numberOf(log['fetched_bytes']) ?? 0,
    ...(error === undefined ? {} : { error }),
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

function mismatch(path: string, reason: string): TrawlError {
  return new TrawlError('ERR_PACK_DAMAGED', `${path}: does not fit the plan: ${reason}`, {
    context: { path },
    hint: 'Remove the stats file of the shard: then it is made again.',
  })
}
