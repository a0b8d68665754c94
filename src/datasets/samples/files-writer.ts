import { constants, copyFileSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { storageError, syncPath } from '../../storage/index.ts'
import { temporaryPath } from '../layout/write-whole.ts'
import { metadataColumns, sidecarJson } from './sample-columns.ts'
import type { SampleLayout } from './sample-layout.ts'
import { sampleNamer, type SampleName } from './sample-names.ts'
import { imageBytes, type SampleWriter, type WrittenFile } from './sample-writer.ts'
import type { Sample } from './sample.ts'

/**
 * Images as files with a `.json` and, with captions, a `.txt` beside each, in a folder for the shard or in several of
 * at most `folderSize` rows. Images that are files already are linked, not copied, where the disk can. Throws storage
 * errors.
 */
export function createFilesWriter(folder: string, shard: string, layout: SampleLayout): SampleWriter {
  return new FilesWriter(folder, shard, layout)
}

class FilesWriter implements SampleWriter {
  readonly properties = { format: 'files', holdsMetadata: false } as const
  readonly #root: string
  readonly #layout: SampleLayout
  readonly #columns: ReturnType<typeof metadataColumns>
  readonly #nameOf: ReturnType<typeof sampleNamer>
  /** Bytes in each folder, by its final name. */
  readonly #folders = new Map<string, number>()

  constructor(root: string, shard: string, layout: SampleLayout) {
    this.#root = root
    this.#layout = layout
    this.#columns = metadataColumns(layout)
    this.#nameOf = sampleNamer(shard, layout)
  }

  async add(sample: Sample): Promise<void> {
    const name = this.#nameOf(sample.row)
    if (sample.status !== 'success') return
    const base = this.#prepare(name)
    const { image } = sample
    const path = `${base}.${this.#layout.encodeFormat}`
    if (image !== undefined && !(image instanceof Uint8Array)) this.#take(image.path, path, name)
    else this.#write(path, await imageBytes(sample), name)
    this.#write(`${base}.json`, sidecarJson(this.#columns, sample), name)
    if (this.#layout.captions) this.#write(`${base}.txt`, sample.row.caption ?? '', name)
  }

  async finish(options: { readonly sync?: boolean } = {}): Promise<readonly WrittenFile[]> {
    return [...this.#folders].map(([name, sizeBytes]) => {
      const path = temporaryPath(join(this.#root, name))
      if (options.sync === true) this.#sync(path)
      return { path, name, sizeBytes, folder: true }
    })
  }

  async abort(): Promise<void> {
    for (const name of this.#folders.keys()) {
      rmSync(temporaryPath(join(this.#root, name)), { recursive: true, force: true })
    }
  }

  #prepare(name: SampleName): string {
    const folder = temporaryPath(join(this.#root, name.folder))
    if (!this.#folders.has(name.folder)) {
      // What an attempt left that was broken off must not get into the shard.
      rmSync(folder, { recursive: true, force: true })
      this.#attempt(folder, () => mkdirSync(folder, { recursive: true }))
      this.#folders.set(name.folder, 0)
    }
    return join(folder, name.base)
  }

  #write(path: string, content: string | Uint8Array, name: SampleName): void {
    this.#attempt(path, () => writeFileSync(path, content))
    this.#count(name, typeof content === 'string' ? Buffer.byteLength(content) : content.length)
  }

  #take(from: string, path: string, name: SampleName): void {
    try {
      linkSync(from, path)
    } catch {
      this.#attempt(path, () => copyFileSync(from, path, constants.COPYFILE_FICLONE))
    }
    this.#count(
      name,
      this.#attempt(path, () => statSync(path).size),
    )
  }

  #count({ folder }: SampleName, sizeBytes: number): void {
    this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + sizeBytes)
  }

  #sync(path: string): void {
    this.#attempt(path, () => syncPath(path))
  }

  #attempt<T>(path: string, body: () => T): T {
    try {
      return body()
    } catch (error) {
      throw storageError(error, { path, doing: 'write' })
    }
  }
}
