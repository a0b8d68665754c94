import { constants, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { copyFile, open, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TrawlError, type BookMetadata } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { ComicPages, comicInfoXml } from '../cbz/index.ts'
import type { PackOptions } from '../pack-options.ts'
import type { PackedFile, PackedPage, PackPage, PackProperties, PackWriter } from '../pack-writer.ts'
import { anyImageFormat, pageName } from '../page-name.ts'
import { partPath } from '../part-file/index.ts'

const properties: PackProperties = {
  format: 'folder',
  extension: '',
  verbatim: anyImageFormat,
  encrypts: false,
  holdsPages: false,
}

/**
 * Writes pages as numbered files into a folder that gets its name when it is whole. An empty folder may stand there
 * already. Throws storage errors.
 */
export class FolderWriter implements PackWriter {
  readonly properties = properties
  readonly #options: PackOptions
  readonly #part: string
  readonly #comic: ComicPages | undefined
  readonly #files: { readonly name: string; readonly sizeBytes: number }[] = []
  #named = false

  constructor(options: PackOptions) {
    this.#options = options
    this.#part = partPath(options.path)
    this.#comic = options.comicInfo === true ? new ComicPages() : undefined
    this.#attempt(() => {
      this.#refuseExisting()
      rmSync(this.#part, { recursive: true, force: true })
      mkdirSync(this.#part)
    })
  }

  async add(page: PackPage): Promise<PackedPage> {
    const name = pageName(page.index, page.facts.format, this.#options.pageCount)
    const target = join(this.#part, name)
    const sizeBytes = await this.#guard(async () => {
      // Shares the blocks where the file system can.
      await copyFile(page.path, target, constants.COPYFILE_FICLONE)
      return statSync(page.path).size
    })
    this.#files.push({ name, sizeBytes })
    this.#comic?.add(page, sizeBytes)
    return { offset: 0, length: sizeBytes, verbatim: true }
  }

  async finish(metadata: BookMetadata): Promise<PackedFile> {
    if (this.#comic) {
      const xml = Buffer.from(comicInfoXml(metadata, this.#comic))
      await this.#guard(() => writeFile(join(this.#part, 'ComicInfo.xml'), xml))
      this.#files.push({ name: 'ComicInfo.xml', sizeBytes: xml.length })
    }
    this.#verify()
    if (this.#options.durability !== 'none') await this.#guard(() => this.#sync())
    this.#attempt(() => this.#publish())
    this.#named = true
    const sizeBytes = this.#files.reduce((sum, file) => sum + file.sizeBytes, 0)
    return { path: this.#options.path, sizeBytes }
  }

  abort(): Promise<void> {
    if (!this.#named) rmSync(this.#part, { recursive: true, force: true })
    return Promise.resolve()
  }

  #refuseExisting(): void {
    const { path } = this.#options
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found || this.#options.replace === true) return
    if (found.isDirectory() && readdirSync(path).length === 0) return
    throw new TrawlError('ERR_EXISTS', `${path} exists already`, { context: { path } })
  }

  #verify(): void {
    for (const { name, sizeBytes } of this.#files) {
      const found = statSync(join(this.#part, name), { throwIfNoEntry: false })?.size
      if (found === sizeBytes) continue
      throw new TrawlError(
        'ERR_PACK_READBACK',
        `${join(this.#options.path, name)}: ${found ?? 'no'} bytes, not ${sizeBytes}`,
      )
    }
  }

  async #sync(): Promise<void> {
    for (const path of [...this.#files.map(({ name }) => join(this.#part, name)), this.#part]) {
      await syncPath(path)
    }
  }

  /** A folder cannot replace one that is not empty, so what stands there is moved aside first. */
  #publish(): void {
    const { path } = this.#options
    this.#refuseExisting()
    const old = join(dirname(path), `.${basename(path)}.trawl-old`)
    rmSync(old, { recursive: true, force: true })
    const stands = lstatSync(path, { throwIfNoEntry: false }) !== undefined
    if (stands) renameSync(path, old)
    try {
      renameSync(this.#part, path)
    } catch (error) {
      if (stands) renameSync(old, path)
      throw error
    }
    rmSync(old, { recursive: true, force: true })
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw storageError(error, { path: this.#options.path, doing: 'write' })
    }
  }

  #attempt(body: () => void): void {
    try {
      body()
    } catch (error) {
      throw storageError(error, { path: this.#options.path, doing: 'write' })
    }
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
