import { crc32 } from 'node:zlib'
import type { Extent } from '../../core/index.ts'
import type { Sink } from '../../storage/index.ts'
import { mebibyte } from './plan-view.ts'
import { SeamCheck } from './seam-check.ts'
import type { SegmentConnection } from './segment-connection.ts'
import type { SegmentTable } from './segment-table.ts'
import type { Saving, UnsavedBytes } from './unsaved-bytes.ts'

export interface SegmentWriterOptions {
  readonly table: SegmentTable
  readonly sink: Sink
  readonly generation: number
  /** Of all files under way. */
  readonly unsaved: UnsavedBytes
  /** Called now and then with what is safe against the death of the process. */
  readonly onCheckpoint: (extents: readonly Extent[]) => void
}

/** Brings the bodies of connections into the sink: each byte once, and only where it is missing. */
export class SegmentWriter implements Saving {
  unsavedBytes = 0
  readonly #options: SegmentWriterOptions
  #seams: SeamCheck

  constructor(options: SegmentWriterOptions) {
    this.#options = options
    this.#seams = new SeamCheck(options.sink, [])
    if (options.sink.properties.durable) options.unsaved.join(this)
  }

  get seams(): SeamCheck {
    return this.#seams
  }

  /** Takes bytes of an earlier run as given, with checksums made anew from the disk, while others go on. */
  async resume(there: readonly Extent[], isStopped: () => boolean): Promise<void> {
    const { sink, table } = this.#options
    for (const extent of there) {
      let sum = 0
      for (let at = extent.start; at < extent.end; at += mebibyte) {
        sum = crc32(sink.read(at, Math.min(mebibyte, extent.end - at)), sum)
        await new Promise(setImmediate)
        if (isStopped()) return
      }
      table.mark(extent, sum)
    }
    this.#seams = new SeamCheck(sink, there)
  }

  /**
   * Writes what is missing of a chunk that begins at `offset`, into one segment or, where the body covers them,
   * several. A promise is back-pressure.
   */
  write(connection: SegmentConnection, offset: number, chunk: Buffer): void | Promise<void> {
    const { sink, generation, unsaved } = this.#options
    let at = offset
    let rest = chunk
    let written: Promise<void> | undefined
    while (rest.length > 0 && !this.isOver(connection)) {
      const { segment, seam } = connection
      if (at < segment.at) {
        const known = rest.subarray(0, segment.at - at)
        if (seam) this.#seams.take(seam, at, known)
        rest = rest.subarray(known.length)
        at += known.length
        continue
      }
      const part = rest.subarray(0, segment.end - at)
      // Before the write, after which the bytes are the sink's; and not counted when it throws.
      const sum = crc32(part, segment.crc32)
      const one = sink.write(at, part, generation)
      if (one) written = written ? Promise.all([written, one]).then(() => {}) : one
      segment.crc32 = sum
      segment.at += part.length
      at += part.length
      rest = rest.subarray(part.length)
      if (sink.properties.durable) unsaved.received(this, part.length)
    }
    return written
  }

  /** True when a connection has nothing more to write; moves it on where its body has more that is missing. */
  isOver(connection: SegmentConnection): boolean {
    const { table } = this.#options
    const { segment, bodyEnd, isWhole } = connection
    if (segment.at < segment.end) return false
    if (bodyEnd > segment.end && table.extend(segment, bodyEnd)) return false
    if (!isWhole) return true
    const next = table.takeFreeFrom(segment.end)
    if (!next) return true
    table.release(segment)
    connection.moveTo(next)
    return false
  }

  /** To be called when all bytes were written. Throws ERR_ENTITY_CHANGED where parts do not fit together. */
  async finish(): Promise<void> {
    await this.#options.sink.checkpoint()
    this.#seams.finish()
  }

  /** Nothing more is written: the file is whole, or the attempt is over. */
  close(): void {
    this.#options.unsaved.leave(this)
  }

  save(): void {
    const { sink, onCheckpoint } = this.#options
    const extents = sink.checkpoint()
    // On a slow disk the next round is soon enough.
    if ('then' in extents) void extents.then(onCheckpoint).catch(() => {})
    else onCheckpoint(extents)
  }
}
