import { rmSync } from 'node:fs'
import {
  fromErrorData,
  taskId,
  toTrawlError,
  TrawlError,
  type DownloadEventBody,
  type DownloadTask,
  type Locator,
  type Outcome,
  type Place,
} from '../core/index.ts'
import { FolderDestination, type Engine, type RetryOptions, type Run } from '../engine/index.ts'
import { checkImage, type CheckedImage, type CheckLevel, type ImageExpectation } from '../images/index.ts'
import type { OutputFolder } from '../storage/index.ts'

/** An image wanted in staging. */
export interface ImageWish {
  /** Identity within the work, stable over runs. */
  readonly key: string
  readonly ordinal: number
  readonly locator: Exclude<Locator, { kind: 'source' }>
  readonly headers?: Readonly<Record<string, string>>
  readonly expected: ImageExpectation
}

/** An image in staging, checked. */
export interface StagedImage {
  readonly path: string
  readonly checked: CheckedImage
  readonly url: string
  readonly attempts: number
  readonly fetchedBytes: number
  /** It lay in staging from an earlier run. */
  readonly fromBefore: boolean
}

/** Thrown into a wish that the end of the run left undone. */
export class Unfinished extends Error {}

export interface PageFetcherOptions {
  readonly engine: Engine
  readonly folder: OutputFolder
  readonly check: CheckLevel
  readonly retry: RetryOptions
  readonly spaceWaitMs: number
  readonly maxSizeBytes?: number
  readonly onEvent: (event: DownloadEventBody) => void
  readonly itemEvents: () => boolean
  readonly signal: AbortSignal
}

interface Wanted {
  readonly wish: ImageWish
  readonly resolve: (image: StagedImage) => void
  readonly reject: (error: unknown) => void
  /** Which alternative is tried; of mirrors there is one step for all. */
  step: number
  error: TrawlError | undefined
  attempts: number
  fetchedBytes: number
}

/**
 * Fetches images into the staging folder of a work, all through one run of the engine. What lies there already is
 * checked and taken. Where an alternative fails, the next one is tried.
 */
export class PageFetcher {
  readonly run: Run
  readonly #options: PageFetcherOptions
  readonly #wanted = new Map<string, Wanted>()
  #ready: DownloadTask[] = []
  #wake: (() => void) | undefined
  #closed = false
  /** Settles when the run has ended; rejects with what ended all of it. */
  readonly done: Promise<void>

  constructor(options: PageFetcherOptions) {
    this.#options = options
    const { maxSizeBytes } = options
    const destination = new FolderDestination({
      folder: options.folder,
      onExists: 'resume',
      nameOf: (task) => task.target.path,
      // The acceptor looks at the bytes: some servers call images HTML, and some HTML image.
      acceptHtml: true,
      remoteTime: false,
      ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
    })
    this.run = options.engine.run(this.#tasks(), {
      destination,
      retry: options.retry,
      spaceWaitMs: options.spaceWaitMs,
      // A failed alternative is no failed page; pages are told of by the work.
      onEvent: (event) => {
        if (event.type !== 'task.finished') options.onEvent(event)
      },
      itemEvents: options.itemEvents,
      acceptor: async (staged, task) => {
        await staged.sink.checkpoint()
        return this.#check(options.folder.partPath(task.id), this.#wanted.get(task.id)?.wish)
      },
      signal: options.signal,
    })
    this.done = this.#consume()
    this.done.catch(() => {})
  }

  /** Rejects with the TrawlError of the last alternative, or with `Unfinished`. */
  async fetch(wish: ImageWish): Promise<StagedImage> {
    const found = await this.#fromBefore(wish)
    if (found) return found
    return new Promise((resolve, reject) => {
      this.#offer({ wish, resolve, reject, step: 0, error: undefined, attempts: 0, fetchedBytes: 0 })
    })
  }

  /** No more wishes come; the run ends with those that are open. */
  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  #offer(wanted: Wanted): void {
    if (this.#closed || this.#options.signal.aborted) {
      wanted.reject(new Unfinished())
      return
    }
    const task = taskOf(wanted.wish, wanted.step)
    this.#wanted.set(task.id, wanted)
    this.#ready.push(task)
    this.#wake?.()
  }

  async *#tasks(): AsyncGenerator<readonly DownloadTask[], void, undefined> {
    for (;;) {
      if (this.#ready.length > 0) {
        const batch = this.#ready
        this.#ready = []
        yield batch
      } else if (this.#closed && this.#wanted.size === 0) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async #consume(): Promise<void> {
    try {
      for await (const batch of this.run.batches()) for (const outcome of batch) this.#ended(outcome)
    } finally {
      this.#closed = true
      this.#wake?.()
      for (const wanted of this.#wanted.values()) wanted.reject(new Unfinished())
      this.#wanted.clear()
    }
  }

  #ended(outcome: Outcome): void {
    const wanted = this.#wanted.get(outcome.id)
    if (!wanted) return
    this.#wanted.delete(outcome.id)
    wanted.attempts += outcome.attempts
    wanted.fetchedBytes += outcome.fetchedBytes
    if (outcome.status === 'ok') {
      const { folder } = this.#options
      wanted.resolve({
        path: `${folder.path}/${outcome.path ?? ''}`,
        checked: outcome.value as CheckedImage,
        url: outcome.url ?? outcome.input,
        attempts: wanted.attempts,
        fetchedBytes: wanted.fetchedBytes,
        fromBefore: false,
      })
    } else if (outcome.status === 'failed' && outcome.error) {
      // The first alternative is the one that was promised: its reason says most, unless it was only not offered.
      const error = fromErrorData(outcome.error)
      wanted.error = wanted.error === undefined || ladderStatus.has(wanted.error.code) ? error : wanted.error
      wanted.step++
      if (wanted.step < steps(wanted.wish)) this.#offer(wanted)
      else wanted.reject(wanted.error)
    } else wanted.reject(new Unfinished())
    this.#wake?.()
  }

  /** What an earlier run staged, checked again: a file may have been harmed since. */
  async #fromBefore(wish: ImageWish): Promise<StagedImage | undefined> {
    const { folder } = this.#options
    for (let step = 0; step < steps(wish); step++) {
      const { id, locator } = taskOf(wish, step)
      const file = folder.journal.doneFile(id)
      if (!file) continue
      const path = `${folder.path}/${file.path}`
      try {
        const checked = await this.#check(path, wish)
        const url = 'places' in locator ? (locator.places[0]?.url ?? '') : ''
        return { path, checked, url, attempts: 0, fetchedBytes: 0, fromBefore: true }
      } catch (thrown) {
        if (toTrawlError(thrown).code === 'ERR_CANCELLED') throw new Unfinished()
        rmSync(path, { force: true })
        folder.journal.forget(id)
        folder.names.release(file.path)
      }
    }
    return undefined
  }

  #check(path: string, wish: ImageWish | undefined): Promise<CheckedImage> {
    const { check, signal } = this.#options
    return checkImage(path, { level: check, expected: wish?.expected ?? {}, sha256: true, signal }).catch(
      (error: unknown) => {
        throw withoutPath(toTrawlError(error), path)
      },
    )
  }
}

/** Errors that say no more than that this alternative is not offered. */
const ladderStatus: ReadonlySet<string> = new Set([
  'ERR_HTTP_NOT_FOUND',
  'ERR_HTTP_STATUS',
  'ERR_HTTP_SERVER',
])

function steps(wish: ImageWish): number {
  return wish.locator.kind === 'alternatives' ? wish.locator.places.length : 1
}

function taskOf(wish: ImageWish, step: number): DownloadTask {
  const { locator, key, ordinal, headers, expected } = wish
  const place: Place | undefined = locator.places[step]
  const own: Locator =
    locator.kind === 'alternatives' && place ? { kind: 'mirrors', places: [place] } : locator
  const path = `pages/${key}${step === 0 ? '' : `-${step + 1}`}`
  const target = { path }
  return {
    id: taskId('page', own, target, 0),
    kind: 'page',
    locator: own,
    ordinal,
    target,
    ...(headers ? { headers } : {}),
    ...(expected.sizeBytes === undefined ? {} : { expectedSizeBytes: expected.sizeBytes }),
  }
}

/** The name of a part file means nothing to people. */
function withoutPath(error: TrawlError, path: string): TrawlError {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const message = error.message.replaceAll(path, 'the image').replaceAll(name, 'the image')
  const { path: _, ...context } = error.context
  return new TrawlError(error.code, message, { cause: error, context, hint: error.hint, retry: error.retry })
}
