import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createTarWriter, type TarWriter } from '../../pack/index.ts'
import { shardFiles } from '../layout/shard-names.ts'
import { temporaryPath, writeTemporary } from '../layout/write-whole.ts'
import { metadataColumns, sidecarJson } from './sample-columns.ts'
import type { SampleLayout } from './sample-layout.ts'
import { imageBytes, type SampleWriter, type WrittenFile } from './sample-writer.ts'
import type { Sample } from './sample.ts'

/**
 * A tar of samples as WebDataset reads them: `KEY.jpg`, `KEY.json` and, with captions, `KEY.txt`, in the order of
 * their extensions. Every sample has the same members (an empty `.txt` where there is no caption): Hugging Face takes
 * nothing else. Throws storage errors.
 */
export function createWebDatasetWriter(folder: string, shard: string, layout: SampleLayout): SampleWriter {
  return new WebDatasetWriter(folder, shard, layout)
}

class WebDatasetWriter implements SampleWriter {
  readonly properties = { format: 'webdataset', holdsMetadata: false } as const
  readonly #folder: string
  readonly #shard: string
  readonly #layout: SampleLayout
  readonly #columns: ReturnType<typeof metadataColumns>
  readonly #tar: TarWriter
  /** Lines of the index, where one is wanted. */
  readonly #index: string[] = []

  constructor(folder: string, shard: string, layout: SampleLayout) {
    this.#folder = folder
    this.#shard = shard
    this.#layout = layout
    this.#columns = metadataColumns(layout)
    this.#tar = createTarWriter({ path: temporaryPath(join(folder, shardFiles(shard).tar)) })
  }

  async add(sample: Sample): Promise<void> {
    if (sample.status !== 'success') return
    const members: [string, Uint8Array][] = [
      [this.#layout.encodeFormat, await imageBytes(sample)],
      ['json', Buffer.from(sidecarJson(this.#columns, sample))],
    ]
    if (this.#layout.captions) members.push(['txt', Buffer.from(sample.row.caption ?? '')])
    members.sort(([a], [b]) => (a < b ? -1 : 1))
    const entries = members.map(([extension, bytes]) => {
      const name = `${sample.row.key}.${extension}`
      return `${extension} ${this.#tar.addMember(name, bytes)} ${bytes.length} ${name}`
    })
    if (this.#layout.tarIndex === true) this.#index.push(entries.join(' '))
  }

  async finish(options: { readonly sync?: boolean } = {}): Promise<readonly WrittenFile[]> {
    const names = shardFiles(this.#shard)
    const tar = this.#tar.finish(options)
    const written: WrittenFile[] = [
      { path: tar.path, name: names.tar, sizeBytes: tar.sizeBytes, folder: false },
    ]
    if (this.#layout.tarIndex === true) {
      const text = `v1.2 ${this.#index.length}\n${this.#index.map((line) => `${line}\n`).join('')}`
      const path = temporaryPath(join(this.#folder, names.tarIndex))
      const sizeBytes = writeTemporary(path, text, options)
      written.push({ path, name: names.tarIndex, sizeBytes, folder: false })
    }
    return written
  }

  async abort(): Promise<void> {
    this.#tar.abort()
    rmSync(temporaryPath(join(this.#folder, shardFiles(this.#shard).tarIndex)), { force: true })
  }
}
