import { rmSync } from 'node:fs'
import {
  fromErrorData,
  taskId,
  toTrawlError,
  TrawlError,
  type ActiveItem,
  type DownloadEventBody,
  type DownloadTask,
  type ItemSelector,
  type Locator,
  type Outcome,
  type Place,
} from '../core/index.ts'
import { FolderDestination, type Engine, type RetryOptions, type Run } from '../engine/index.ts'
import { sameRatio, type CheckedImage, type ImageExpectation } from '../images/index.ts'
import type { OutputFolder } from '../storage/index.ts'
import type { PageCheck } from './page-check.ts'

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
  /** Of all attempts and alternatives together. */
  readonly durationMs: number
  /** It lay in staging from an earlier run. */
  readonly fromBefore: boolean
}

/** Thrown into a wish that the end of the run left undone. */
export class Unfinished extends Error {}

/** Thrown into a wish that no alternative fulfilled: the reason, how often it was tried and for how long. */
export class PageLost extends TrawlError {
  readonly attempts: number
  readonly durationMs: number

  constructor(
    reason: TrawlError,
    { attempts, durationMs }: { readonly attempts: number; readonly durationMs: number },
  ) {
    const { code, message, cause, context, hint, retry, scope } = reason
    super(code, message, { cause, context, hint, retry, scope })
    this.attempts = attempts
    this.durationMs = durationMs
  }
}

export interface PageFetcherOptions {
  readonly engine: Engine
  readonly folder: OutputFolder
  readonly check: PageCheck
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
  /** The same picture in another size is taken too. */
  reduced: boolean
  /** First step whose image was of another size, but of the same ratio. */
  reducedStep: number | undefined
  error: TrawlError | undefined
  attempts: number
  fetchedBytes: number
  durationMs: number
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
  /** A server was seen to limit sizes silently: the next ones are not asked for each alternative in vain. */
  #limited = false
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
      // A failed alternative is no failed page; pages are told of by the work, under their own ids.
      onEvent: (event) => {
        if (event.type === 'task.finished') return
        options.onEvent('id' in event ? { ...event, id: this.#pageOf(event.id) } : event)
      },
      itemEvents: options.itemEvents,
      acceptor: async (staged, task) => {
        // A body without bytes leaves no file to look at.
        if (staged.lengthBytes === 0) throw new TrawlError('ERR_IMAGE_EMPTY', 'the image: no bytes')
        await staged.sink.checkpoint()
        const wanted = this.#wanted.get(task.id)
        return this.#check(options.folder.partPath(task.id), wanted?.wish, wanted?.reduced)
      },
      signal: options.signal,
    })
    this.done = this.#consume()
    this.done.catch(() => {})
  }

  /** Rejects with `PageLost` or with `Unfinished`. */
  async fetch(wish: ImageWish): Promise<StagedImage> {
    const found = await this.#fromBefore(wish)
    if (found) return found
    return new Promise((resolve, reject) => {
      this.#offer({
        wish,
        resolve,
        reject,
        step: 0,
        reduced: this.#limited,
        reducedStep: undefined,
        error: undefined,
        attempts: 0,
        fetchedBytes: 0,
        durationMs: 0,
      })
    })
  }

  activeItems(limit: number): readonly ActiveItem[] {
    return this.run.activeItems(limit).map((item) => ({ ...item, id: this.#pageOf(item.id) }))
  }

  /** A selector of pages as one of the run: there, each alternative of a page has an id of its own. */
  inRun<Which extends ItemSelector>(which: Which): Which {
    if (which.id === undefined) return which
    for (const [id, { wish }] of this.#wanted) if (wish.key === which.id) return { ...which, id }
    return which
  }

  #pageOf(id: string): string {
    return this.#wanted.get(id)?.wish.key ?? id
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
    const task = taskOf(wanted.wish, wanted.step, wanted.reduced)
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
    wanted.durationMs += outcome.durationMs
    if (outcome.status === 'ok') {
      const { folder } = this.#options
      wanted.resolve({
        path: `${folder.path}/${outcome.path ?? ''}`,
        checked: outcome.value as CheckedImage,
        url: outcome.url ?? outcome.input,
        attempts: wanted.attempts,
        fetchedBytes: wanted.fetchedBytes,
        durationMs: wanted.durationMs,
        fromBefore: false,
      })
    } else if (outcome.status === 'failed' && outcome.error) {
      // The first alternative is the one that was promised: its reason says most, unless it was only not offered.
      const error = fromErrorData(outcome.error)
      wanted.error = wanted.error === undefined || ladderStatus.has(wanted.error.code) ? error : wanted.error
      if (!wanted.reduced && isReduced(error)) wanted.reducedStep ??= wanted.step
      wanted.step++
      if (wanted.step < steps(wanted.wish)) this.#offer(wanted)
      else this.#offerReduced(wanted, wanted.error)
    } else wanted.reject(new Unfinished())
    this.#wake?.()
  }

  /** Nobody has the size that the source says: what was offered in another one is better than no page. */
  #offerReduced(wanted: Wanted, error: TrawlError): void {
    if (wanted.reducedStep === undefined) {
      wanted.reject(new PageLost(error, wanted))
      return
    }
    this.#limited = true
    this.#offer({ ...wanted, step: wanted.reducedStep, reduced: true, reducedStep: undefined })
  }

  /** What an earlier run staged, checked again: a file may have been harmed since. */
  async #fromBefore(wish: ImageWish): Promise<StagedImage | undefined> {
    const { folder } = this.#options
    const count = steps(wish)
    for (let at = 0; at < 2 * count; at++) {
      const { id, locator } = taskOf(wish, at % count, at >= count)
      const file = folder.journal.doneFile(id)
      if (!file) continue
      const path = `${folder.path}/${file.path}`
      try {
        const checked = await this.#check(path, wish, at >= count)
        const url = 'places' in locator ? (locator.places[0]?.url ?? '') : ''
        return { path, checked, url, attempts: 0, fetchedBytes: 0, durationMs: 0, fromBefore: true }
      } catch (thrown) {
        if (toTrawlError(thrown).code === 'ERR_CANCELLED') throw new Unfinished()
        rmSync(path, { force: true })
        folder.journal.forget(id)
        folder.names.release(file.path)
      }
    }
    return undefined
  }

  #check(path: string, wish: ImageWish | undefined, reduced = false): Promise<CheckedImage> {
    const expected: ImageExpectation = { ...wish?.expected, sizeRule: reduced ? 'ratio' : 'exact' }
    return this.#options.check(path, expected).catch((error: unknown) => {
      throw withoutPath(toTrawlError(error), path)
    })
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

/** True for an image of the right ratio in the wrong size. */
function isReduced(error: TrawlError): boolean {
  if (error.code !== 'ERR_IMAGE_DIMENSIONS') return false
  const { widthPx, heightPx, expectedWidthPx, expectedHeightPx } = error.context
  const given = [widthPx, heightPx, expectedWidthPx, expectedHeightPx].map(Number)
  const [width = 0, height = 0, wantedWidth = 0, wantedHeight = 0] = given
  const expected = { widthPx: wantedWidth, heightPx: wantedHeight }
  return sameRatio({ widthPx: width, heightPx: height }, expected)
}

function taskOf(wish: ImageWish, step: number, reduced: boolean): DownloadTask {
  const { locator, key, ordinal, headers, expected } = wish
  const place: Place | undefined = locator.places[step]
  const own: Locator =
    locator.kind === 'alternatives' && place ? { kind: 'mirrors', places: [place] } : locator
  const path = `pages/${key}${step === 0 ? '' : `-${step + 1}`}${reduced ? '-reduced' : ''}`
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
