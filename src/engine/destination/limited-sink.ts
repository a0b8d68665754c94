import { TrawlError, type Extent } from '../../core/index.ts'
import type { CommitOptions, Sink, SinkProperties } from '../../storage/index.ts'

/** A sink for a body whose length is not known beforehand: throws ERR_TOO_LARGE for bytes beyond a limit. */
export class LimitedSink implements Sink {
  readonly properties: SinkProperties
  readonly #sink: Sink
  readonly #maxBytes: number

  constructor(sink: Sink, maxBytes: number) {
    this.#sink = sink
    this.#maxBytes = maxBytes
    this.properties = sink.properties
  }

  open(kept: readonly Extent[], generation: number, lengthBytes?: number): readonly Extent[] {
    const most = this.#maxBytes
    if (kept.some(({ end }) => end > most)) throw filteredOut(most)
    return this.#sink.open(kept, generation, lengthBytes)
  }

  write(offset: number, chunk: Buffer, generation: number): void | Promise<void> {
    if (offset + chunk.length > this.#maxBytes) throw filteredOut(this.#maxBytes)
    return this.#sink.write(offset, chunk, generation)
  }

  read(offset: number, lengthBytes: number): Buffer {
    return this.#sink.read(offset, lengthBytes)
  }

  checkpoint(): readonly Extent[] | Promise<readonly Extent[]> {
    return this.#sink.checkpoint()
  }

  reset(generation: number): void {
    this.#sink.reset(generation)
  }

  commit(finalPath: string, options: CommitOptions): void {
    this.#sink.commit(finalPath, options)
  }

  abort(options?: { readonly discard?: boolean }): readonly Extent[] {
    return this.#sink.abort(options)
  }
}

function filteredOut(maxBytes: number): TrawlError {
  return new TrawlError('ERR_TOO_LARGE', `the file has more than ${maxBytes} bytes`, {
    context: { filtered: true },
  })
}

/** True for the end of a file that turned out to be larger than wanted while it came. */
export function isFilteredOut(error: TrawlError): boolean {
  return error.code === 'ERR_TOO_LARGE' && error.context['filtered'] === true
}
