import {
  isTrawlError,
  TrawlError,
  type Locator,
  type Resolver,
  type ResolveReason,
} from '../../core/index.ts'
import { hostOf } from './host-of.ts'
import type { RunningTask } from './task-queue.ts'

export interface PlaceResolverOptions {
  readonly resolver: Resolver | undefined
  readonly signal: AbortSignal
  /** Whether more tasks with addresses are wanted now: addresses that wait grow old. */
  readonly hasRoom: () => boolean
  /** The task has its addresses. */
  readonly onResolved: (item: RunningTask) => void
  readonly onFailed: (item: RunningTask, error: TrawlError) => void
}

/** Asked at once. */
const maxAtOnce = 16

/** Asks for the addresses of tasks that have none, or whose addresses expired. */
export class PlaceResolver {
  readonly #options: PlaceResolverOptions
  readonly #waiting: { readonly item: RunningTask; readonly reason: ResolveReason }[] = []
  readonly #asked = new Set<RunningTask>()

  constructor(options: PlaceResolverOptions) {
    this.#options = options
  }

  /** Tasks that are being asked for or wait for it. */
  get size(): number {
    return this.#waiting.length + this.#asked.size
  }

  /** Whether there is anybody to ask for new addresses. */
  get isGiven(): boolean {
    return this.#options.resolver !== undefined
  }

  *values(): Generator<RunningTask, void, undefined> {
    yield* this.#asked
    for (const { item } of this.#waiting) yield item
  }

  add(item: RunningTask, reason: ResolveReason): void {
    // What is under way already goes before what has not begun.
    if (reason === 'expired') this.#waiting.unshift({ item, reason })
    else this.#waiting.push({ item, reason })
    this.pump()
  }

  /** Asks for as many as are wanted now. */
  pump(): void {
    while (this.#asked.size < maxAtOnce) {
      const next = this.#waiting[0]
      if (!next || (next.reason === 'first' && !this.#options.hasRoom())) return
      this.#waiting.shift()
      this.#asked.add(next.item)
      void this.#resolve(next.item, next.reason)
    }
  }

  /** Takes out every task of which `match` is true; answers that come for them later count for nothing. */
  remove(match: (item: RunningTask) => boolean): RunningTask[] {
    const removed = [...this.#asked].filter(match)
    for (const item of removed) this.#asked.delete(item)
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const item = this.#waiting[i]?.item
      if (!item || !match(item)) continue
      this.#waiting.splice(i, 1)
      removed.push(item)
    }
    return removed
  }

  async #resolve(item: RunningTask, reason: ResolveReason): Promise<void> {
    const { resolver, signal, onResolved, onFailed } = this.#options
    let failure: TrawlError | undefined
    try {
      if (!resolver) throw nobodyToAsk(item)
      const found = await resolver.resolve(sourceOf(item), reason, { signal })
      const [first] = found.places
      if (!first) throw noAddress(item)
      item.host = hostOf(first.url)
      item.unresolved = 0
      item.places = found.places
      item.allPlaces = found.places
      item.mirrored = found.kind === 'mirrors'
    } catch (thrown) {
      failure = isTrawlError(thrown) ? thrown : resolverFailed(item, thrown)
    }
    if (this.#asked.delete(item)) {
      if (failure) onFailed(item, failure)
      else onResolved(item)
    }
    this.pump()
  }
}

/** What a resolver is asked about: the reference of the task, or its plain address as one. */
function sourceOf({ task: { locator } }: RunningTask): Extract<Locator, { kind: 'source' }> {
  if (locator.kind === 'source') return locator
  return { kind: 'source', source: 'url', ref: locator.places[0]?.url ?? '' }
}

function nobodyToAsk(item: RunningTask): TrawlError {
  const { source, ref } = sourceOf(item)
  return new TrawlError('ERR_RESOLVE_FAILED', `nobody knows where ${source}:${ref} is`, {
    retry: 'never',
    hint: 'Give the option `resolvePlaces`, a function that turns references into addresses.',
  })
}

function noAddress(item: RunningTask): TrawlError {
  const { source, ref } = sourceOf(item)
  return new TrawlError('ERR_RESOLVE_FAILED', `no address was given for ${source}:${ref}`, { retry: 'never' })
}

function resolverFailed(item: RunningTask, cause: unknown): TrawlError {
  const { source, ref } = sourceOf(item)
  const why = cause instanceof Error ? cause.message : String(cause)
  return new TrawlError('ERR_RESOLVE_FAILED', `the address of ${source}:${ref} cannot be had: ${why}`, {
    cause,
  })
}
