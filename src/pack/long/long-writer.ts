import { mkdirSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { TrawlError, type BookMetadata } from '../../core/index.ts'
import { longImage, type LongImagePart } from '../../images/index.ts'
import { publish, storageError } from '../../storage/index.ts'
import type { PackOptions } from '../pack-options.ts'
import type { PackedFile, PackedPage, PackPage, PackProperties, PackWriter } from '../pack-writer.ts'
import { partPath, refuseExisting } from '../part-file/index.ts'

const properties: PackProperties = {
  format: 'long',
  extension: '.jpg',
  verbatim: [],
  encrypts: false,
  holdsPages: true,
}

const formats = { '.jpg': 'jpg', '.jpeg': 'jpg', '.png': 'png', '.webp': 'webp' } as const

/**
 * Stacks all pages in one image, or in several where the format cannot be that high: `name.jpg`, `name-2.jpg`. The
 * extension of the path says the format. Throws ERR_PACK_UNSUPPORTED for other extensions, ERR_IMAGE_*, storage
 * errors.
 */
export class LongWriter implements PackWriter {
  readonly properties = properties
  readonly #options: PackOptions
  readonly #format: 'jpg' | 'png' | 'webp'
  readonly #part: string
  readonly #pages: string[] = []

  constructor(options: PackOptions) {
    const extension = extname(options.path).toLowerCase()
    const format = Object.entries(formats).find(([known]) => known === extension)?.[1]
    if (!format) {
      throw new TrawlError('ERR_PACK_UNSUPPORTED', `${options.path}: a long image is .jpg, .png or .webp`)
    }
    this.#format = format
    this.#options = options
    this.#part = partPath(options.path)
    refuseExisting(options)
    this.#attempt(() => {
      rmSync(this.#part, { recursive: true, force: true })
      mkdirSync(this.#part)
    })
  }

  add(page: PackPage): Promise<PackedPage> {
    this.#pages.push(page.path)
    return Promise.resolve({ offset: 0, length: 0, verbatim: false })
  }

  async finish(_metadata: BookMetadata): Promise<PackedFile> {
    const { path, jpegQuality } = this.#options
    const extension = extname(path)
    const name = basename(path, extension)
    const target = { dir: this.#part, name }
    const parts = await longImage(this.#pages, target, {
      format: this.#format,
      ...(jpegQuality === undefined ? {} : { quality: jpegQuality }),
    })
    const finals = parts.map((_, i) =>
      join(dirname(path), `${name}${i === 0 ? '' : `-${i + 1}`}${extension}`),
    )
    for (const final of finals) refuseExisting({ ...this.#options, path: final })
    const sizes = await Promise.all(parts.map((part) => this.#check(part)))
    // The first name last: where it stands, all stand.
    for (const [i, part] of [...parts.entries()].reverse()) {
      const durability = this.#options.durability === 'none' ? 'none' : 'strict'
      publish(part.path, finals[i] ?? path, { replace: this.#options.replace === true, durability })
    }
    rmSync(this.#part, { recursive: true, force: true })
    return { path, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) }
  }

  abort(): Promise<void> {
    rmSync(this.#part, { recursive: true, force: true })
    return Promise.resolve()
  }

  /** Size of a part, which is on the medium after this unless durability is `none`. */
  async #check(part: LongImagePart): Promise<number> {
    try {
      const sizeBytes = statSync(part.path).size
      if (this.#options.durability === 'none') return sizeBytes
      const handle = await open(part.path, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      return sizeBytes
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
