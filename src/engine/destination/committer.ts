import { isTrawlError, toTrawlError, TrawlError, type Extent, type TaskId } from '../../core/index.ts'
import type { FileFacts, Journal, Volume } from '../../storage/index.ts'
import type { StagedTransfer } from '../transfer/transfer.ts'

/** A staged file and where it is to go. */
export interface CommitRequest {
  readonly id: TaskId
  readonly staged: StagedTransfer
  readonly facts: FileFacts
  /** Relative to the root. */
  readonly path: string
  readonly replace: boolean
  readonly modifiedS?: number
}

export interface CommitterOptions {
  readonly journal: Journal
  readonly volume: Volume
  /** Told after each group that was committed. */
  readonly onCommitted: () => void
  /** Makes the folders above a relative path and gives its absolute form. */
  readonly place: (path: string) => string
  /** Another name for a task whose own was taken by a stranger meanwhile; journals it. */
  readonly rename: (request: CommitRequest) => string
}

/**
 * Gives staged files their final names, many at a time: one turn of the event loop is one group. For each group the
 * order of rule 1 holds: data checkpointed, intents written, renames, done records.
 */
export class Committer {
  readonly #options: CommitterOptions
  #waiting: Waiting[] = []
  #scheduled = false

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** Resolves with the final relative path when the file stands under it. Rejects with storage errors. */
  commit(request: CommitRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#run())
    })
  }

  #run(): void {
    this.#scheduled = false
    const group = this.#waiting
    this.#waiting = []
    try {
      // Names are on record before the first byte of their files.
      this.#options.journal.flush()
    } catch (error) {
      for (const { reject } of group) reject(toTrawlError(error, 'ERR_IO'))
      return
    }
    const slow: Promise<Waiting | undefined>[] = []
    const ready: Waiting[] = []
    for (const waiting of group) {
      try {
        const extents = waiting.request.staged.sink.checkpoint()
        if ('then' in extents) {
          slow.push(whenSettled(extents, waiting))
          continue
        }
        checkWhole(extents, waiting.request)
        ready.push(waiting)
      } catch (error) {
        waiting.reject(toTrawlError(error, 'ERR_IO'))
      }
    }
    this.#publish(ready)
    if (slow.length === 0) return
    void Promise.all(slow).then((all) => this.#publish(all.filter((each) => each !== undefined)))
  }

  /** Second half of a group: intents, renames, done records. */
  #publish(group: readonly Waiting[]): void {
    if (group.length === 0) return
    try {
      for (const { request } of group) this.#intent(request, request.path)
      this.#announce()
    } catch (error) {
      for (const { reject } of group) reject(toTrawlError(error, 'ERR_IO'))
      return
    }
    for (const waiting of group) this.#finish(waiting)
    this.#options.onCommitted()
  }

  #finish(waiting: Waiting): void {
    const { request } = waiting
    let path = request.path
    for (let tries = 0; ; tries++) {
      try {
        request.staged.sink.commit(this.#options.place(path), request)
        this.#options.journal.done(request.id)
        waiting.resolve(path)
        return
      } catch (error) {
        if (!(isTrawlError(error) && error.code === 'ERR_EXISTS') || tries >= 100) {
          waiting.reject(toTrawlError(error, 'ERR_IO'))
          return
        }
      }
      // A stranger took the name between our look and the rename; theirs stays as it is.
      try {
        path = this.#options.rename(request)
        this.#intent(request, path)
        this.#announce()
      } catch (error) {
        waiting.reject(toTrawlError(error, 'ERR_IO'))
        return
      }
    }
  }

  /** No rename before its intent is as sure as the policy wants it. */
  #announce(): void {
    const { journal, volume } = this.#options
    if (volume.durability === 'strict') journal.sync()
    else journal.flush()
  }

  #intent(request: CommitRequest, path: string): void {
    const { generation, lengthBytes, crc32 } = request.staged
    this.#options.journal.intent({
      id: request.id,
      generation,
      path,
      lengthBytes,
      crc32,
      facts: request.facts,
    })
  }
}

interface Waiting {
  readonly request: CommitRequest
  readonly resolve: (path: string) => void
  readonly reject: (error: TrawlError) => void
}

/** The last look before a file gets its name: whatever went wrong before, a file with a hole never gets one. */
function checkWhole(extents: readonly Extent[], { path, staged }: CommitRequest): void {
  const { lengthBytes } = staged
  const [only] = extents
  const isWhole =
    only === undefined
      ? lengthBytes === 0
      : extents.length === 1 && only.start === 0 && only.end === lengthBytes
  if (isWhole) return
  throw new TrawlError('ERR_INTERNAL', `${path} was to be named with other bytes than its ${lengthBytes}`)
}

async function whenSettled(
  checkpoint: Promise<readonly Extent[]>,
  waiting: Waiting,
): Promise<Waiting | undefined> {
  try {
    checkWhole(await checkpoint, waiting.request)
    return waiting
  } catch (error) {
    waiting.reject(toTrawlError(error, 'ERR_IO'))
    return undefined
  }
}
