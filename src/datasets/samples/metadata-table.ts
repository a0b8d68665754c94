import { join } from 'node:path'
import { shardFiles } from '../layout/shard-names.ts'
import { temporaryPath } from '../layout/write-whole.ts'
import { createParquetWriter, type ParquetColumn } from '../parquet/index.ts'
import { metadataColumns } from './sample-columns.ts'
import type { SampleLayout } from './sample-layout.ts'
import type { WrittenFile } from './sample-writer.ts'
import type { Sample, SampleRun } from './sample.ts'

/** A table with one row for every sample of a shard. Throws storage errors. */
export interface SampleTable {
  add(sample: Sample, run: SampleRun): void
  finish(options?: { readonly sync?: boolean }): WrittenFile
  abort(): void
}

/** `NNNNN.parquet`: the metadata of every sample, failures included. The same samples give the same bytes. */
export async function createMetadataTable(
  folder: string,
  shard: string,
  layout: SampleLayout,
): Promise<SampleTable> {
  const columns = metadataColumns(layout)
  const name = shardFiles(shard).parquet
  const writer = await createParquetWriter({
    path: temporaryPath(join(folder, name)),
    columns: columns.map(({ name: column, type }) => ({ name: column, type })),
  })
  return {
    add: (sample) => writer.add(columns.map((column) => column.value(sample))),
    finish: (options) => ({ ...writer.finish(options), name, folder: false }),
    abort: () => writer.abort(),
  }
}

const logColumns: readonly ParquetColumn[] = [
  { name: 'key', type: 'string' },
  { name: 'host', type: 'string' },
  { name: 'status', type: 'string' },
  { name: 'error_code', type: 'string' },
  { name: 'error', type: 'string' },
  { name: 'attempts', type: 'int32' },
  { name: 'started_at', type: 'timestamp' },
  { name: 'duration_ms', type: 'double' },
  { name: 'fetched_bytes', type: 'int64' },
]

/** `NNNNN_log.parquet`: how the run went for every sample, which differs from run to run. */
export async function createLogTable(folder: string, shard: string): Promise<SampleTable> {
  const name = shardFiles(shard).log
  const writer = await createParquetWriter({ path: temporaryPath(join(folder, name)), columns: logColumns })
  return {
    add: (sample, run) =>
      writer.add([
        sample.row.key,
        hostOf(sample.row.url),
        sample.status,
        sample.errorCode,
        run.error ?? null,
        run.attempts,
        Math.round(run.startedAtMs),
        run.durationMs,
        run.fetchedBytes,
      ]),
    finish: (options) => ({ ...writer.finish(options), name, folder: false }),
    abort: () => writer.abort(),
  }
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}
