import { join } from 'node:path'
import { shardFiles } from '../layout/shard-names.ts'
import { temporaryPath } from '../layout/write-whole.ts'
import {
  createParquetWriter,
  type ParquetColumn,
  type ParquetFileWriter,
  type ParquetValue,
} from '../parquet/index.ts'
import { metadataColumns } from './sample-columns.ts'
import type { SampleLayout } from './sample-layout.ts'
import { imageBytes, type SampleWriter, type WrittenFile } from './sample-writer.ts'
import type { Sample } from './sample.ts'

/** Row groups of images are cut by bytes, so that a shard is never in memory. */
const rowGroupBytes = 32 * 1024 * 1024

/**
 * A Parquet file with the metadata of all samples and the bytes of their images: a binary column named after the
 * format behind the columns of img2dataset, or the struct that Hugging Face shows. Throws storage errors.
 */
export async function createParquetSampleWriter(
  folder: string,
  shard: string,
  layout: SampleLayout,
): Promise<SampleWriter> {
  const columns = metadataColumns(layout)
  const struct = layout.parquetImages === 'struct'
  const image: ParquetColumn = struct
    ? { name: 'image', type: 'image' }
    : { name: layout.encodeFormat, type: 'binary' }
  // Behind the columns of img2dataset, before ours: there its readers expect it.
  const place = columns.filter((column) => column.sidecar).length
  const all = columns.toSpliced(place, 0, { ...image, value: () => null, sidecar: true })
  const writer = await createParquetWriter({
    path: temporaryPath(join(folder, shardFiles(shard).parquet)),
    columns: all.map(({ name, type }) => ({ name, type })),
    rowGroupBytes,
    ...(struct ? { keyValues: { huggingface: huggingFaceFeatures(all) } } : {}),
  })
  const value = async (sample: Sample): Promise<ParquetValue> => {
    if (sample.status !== 'success') return null
    const bytes = await imageBytes(sample)
    return struct ? { bytes, path: `${sample.row.key}.${layout.encodeFormat}` } : bytes
  }
  return new ParquetSampleWriter(writer, shardFiles(shard).parquet, async (sample) => {
    const values = columns.map((column) => column.value(sample))
    values.splice(place, 0, await value(sample))
    return values
  })
}

class ParquetSampleWriter implements SampleWriter {
  readonly properties = { format: 'parquet', holdsMetadata: true } as const
  readonly #writer: ParquetFileWriter
  readonly #name: string
  readonly #values: (sample: Sample) => Promise<ParquetValue[]>

  constructor(writer: ParquetFileWriter, name: string, values: (sample: Sample) => Promise<ParquetValue[]>) {
    this.#writer = writer
    this.#name = name
    this.#values = values
  }

  async add(sample: Sample): Promise<void> {
    this.#writer.add(await this.#values(sample))
  }

  async finish(options: { readonly sync?: boolean } = {}): Promise<readonly WrittenFile[]> {
    return [{ ...this.#writer.finish(options), name: this.#name, folder: false }]
  }

  async abort(): Promise<void> {
    this.#writer.abort()
  }
}

const huggingFaceTypes: Readonly<Record<ParquetColumn['type'], string>> = {
  string: 'string',
  binary: 'binary',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  float: 'float32',
  double: 'float64',
  timestamp: 'timestamp[ms]',
  image: '',
}

/** The features of the columns, as the `datasets` library keeps them in Parquet files. */
function huggingFaceFeatures(columns: readonly ParquetColumn[]): string {
  const features = columns.map(({ name, type }) => [
    name,
    type === 'image' ? { _type: 'Image' } : { dtype: huggingFaceTypes[type], _type: 'Value' },
  ])
  return JSON.stringify({ info: { features: Object.fromEntries(features) } })
}
