import { TrawlError, type DownloadTask, type Extent, type Outcome, type TaskId } from '../core/index.ts'
import type { Admission, Destination, EntityFacts, EntityVerdict, StagedTransfer } from '../engine/index.ts'
import { storageError, type Sink, type SinkProperties } from '../storage/index.ts'

/** Sends the bytes of one file to a consumer as they come, such as standard output. Nothing is kept. */
export class StreamDestination implements Destination {
  readonly #output: (chunk: Uint8Array) => void | Promise<void>
  #sent = false
  #task: TaskId | undefined

  constructor(output: (chunk: Uint8Array) => void | Promise<void>) {
    this.#output = output
  }

  /** Throws ERR_USAGE for any file but the first: their bytes would be mixed. */
  admit(task: DownloadTask): Admission {
    this.#task ??= task.id
    if (this.#task === task.id) return { admit: 'fetch' }
    throw new TrawlError('ERR_USAGE', 'only one file can go to standard output', {
      hint: 'Give one address, or a folder with --dir.',
    })
  }

  entity(
    _named: { readonly task: DownloadTask },
    _facts: EntityFacts,
  ): EntityVerdict & { readonly path: string } {
    if (this.#sent) {
      throw new TrawlError('ERR_LENGTH_MISMATCH', 'the connection broke after bytes had been passed on', {
        retry: 'never',
        hint: 'Download to a file instead: there trawl goes on where it stopped.',
      })
    }
    return { verdict: 'go', path: '-', sink: this.#sink() }
  }

  commit(_named: unknown, _staged: StagedTransfer): Promise<string> {
    return Promise.resolve('-')
  }

  checkpoint(): void {}

  failed(): void {}

  flush(): void {}

  freeBytes(): undefined {
    return undefined
  }

  async *outcomes(): AsyncIterable<Outcome> {}

  /** Hands on a chunk. What the reader refuses it will refuse again. */
  #pass(chunk: Uint8Array): void | Promise<void> {
    const refused = (thrown: unknown): never => {
      const { code, message } = storageError(thrown, { path: 'the output', doing: 'write to' })
      // No matter of the output folder, whose volume would be waited for.
      throw new TrawlError(code === 'ERR_NO_SPACE' ? 'ERR_IO' : code, message, {
        cause: thrown,
        hint: 'See to where the output goes, or download to a file.',
        retry: 'never',
        scope: 'task',
      })
    }
    try {
      return this.#output(chunk)?.catch(refused)
    } catch (error) {
      return refused(error)
    }
  }

  #sink(): Sink {
    const properties: SinkProperties = { randomAccess: false, durable: false, readable: false }
    let next = 0
    return {
      properties,
      open: () => [],
      write: (offset, chunk) => {
        if (offset !== next) throw new TrawlError('ERR_STALE_WRITE', 'bytes came out of order')
        next += chunk.length
        this.#sent = true
        return this.#pass(chunk)
      },
      read: () => Buffer.alloc(0),
      checkpoint: (): readonly Extent[] => [{ start: 0, end: next }],
      reset: () => {
        if (this.#sent)
          throw new TrawlError('ERR_ENTITY_CHANGED', 'the file changed after bytes had been passed on')
      },
      commit: () => {},
      abort: () => [],
    }
  }
}
