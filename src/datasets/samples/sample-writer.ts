import { readFile } from 'node:fs/promises'
import { TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import type { Sample } from './sample.ts'

export interface SampleWriterProperties {
  readonly format: 'files' | 'webdataset' | 'parquet'
  /** True where the container itself has a row for every sample, so that no metadata table is needed beside it. */
  readonly holdsMetadata: boolean
}

/** A finished file or folder under a temporary name. */
export interface WrittenFile {
  /** Absolute. */
  readonly path: string
  /** The name it is to get, relative to the output folder. */
  readonly name: string
  readonly sizeBytes: number
  readonly folder: boolean
}

/**
 * Writes the images of one shard. Samples come in plan order, all of them, one call at a time; memory stays flat.
 * Nothing gets its final name here: `finish` gives the files to whoever commits the shard. The same samples give the
 * same bytes. Throws storage errors, ERR_INTERNAL for a success without an image.
 */
export interface SampleWriter {
  readonly properties: SampleWriterProperties
  add(sample: Sample): Promise<void>
  /** Closes the files; with `sync` their bytes are on the medium. */
  finish(options?: { readonly sync?: boolean }): Promise<readonly WrittenFile[]>
  /** Removes the temporary files. Safe after anything, also twice. */
  abort(): Promise<void>
}

/** The encoded bytes of a success. Throws ERR_INTERNAL where there are none, and storage errors. */
export async function imageBytes(sample: Sample): Promise<Uint8Array> {
  const { image, row } = sample
  if (image === undefined)
    throw new TrawlError('ERR_INTERNAL', `sample ${row.key}: a success without an image`)
  if (image instanceof Uint8Array) return image
  return readFile(image.path).catch((error: unknown) => {
    throw storageError(error, { path: image.path, doing: 'read' })
  })
}
