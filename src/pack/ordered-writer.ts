import { isTrawlError, TrawlError, type BookMetadata } from '../core/index.ts'
import type { PackedFile, PackedPage, PackPage, PackProperties, PackWriter } from './pack-writer.ts'

/**
 * What holds for the writers of all formats: pages come in order and without holes, one call at a time; a book has
 * pages; nothing is left behind when it fails; a writer that broke says so instead of finishing.
 */
export class OrderedWriter implements PackWriter {
  readonly properties: PackProperties
  readonly #writer: PackWriter
  readonly #path: string
  #state: 'open' | 'busy' | 'done' = 'open'
  #broken: unknown
  #pages = 0

  constructor(writer: PackWriter, path: string) {
    this.properties = writer.properties
    this.#writer = writer
    this.#path = path
  }

  async add(page: PackPage): Promise<PackedPage> {
    this.#enter()
    try {
      if (page.index !== this.#pages) {
        throw new TrawlError(
          'ERR_INTERNAL',
          `${this.#path}: page ${page.index} was added in place of ${this.#pages}`,
        )
      }
      const packed = await this.#writer.add(page)
      this.#pages++
      return packed
    } catch (error) {
      if (!leavesWriterWhole(error)) this.#broken = error
      throw error
    } finally {
      this.#state = 'open'
    }
  }

  async finish(metadata: BookMetadata): Promise<PackedFile> {
    this.#enter()
    try {
      if (this.#pages === 0) {
        throw new TrawlError('ERR_PACK_UNSUPPORTED', `${this.#path}: a book without pages`, {
          hint: 'Check the input, or the selection of pages.',
        })
      }
      return await this.#writer.finish(metadata)
    } catch (error) {
      await this.#writer.abort()
      throw error
    } finally {
      this.#state = 'done'
    }
  }

  async abort(): Promise<void> {
    this.#state = 'done'
    await this.#writer.abort()
  }

  #enter(): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#state !== 'open') {
      const reason = this.#state === 'busy' ? 'is still busy with another call' : 'was used after its end'
      throw new TrawlError('ERR_INTERNAL', `${this.#path}: the pack writer ${reason}`)
    }
    this.#state = 'busy'
  }
}

/** Errors of a page that are found before its first byte is written. */
function leavesWriterWhole(error: unknown): boolean {
  return isTrawlError(error) && (error.code.startsWith('ERR_IMAGE_') || error.code === 'ERR_PACK_UNSUPPORTED')
}
