import { systemClock, type Clock } from '../../core/index.ts'
import { Bucket } from './bucket.ts'

/** Bytes per second; what is missing does not limit. */
export interface RateLimits {
  readonly totalBps?: number | undefined
  /** For each host, over all its items. */
  readonly perHostBps?: number | undefined
  /** For each item, over all its connections. */
  readonly perItemBps?: number | undefined
}

/** Whose bytes they are. Items are told apart by `itemId` alone; one may read from several hosts. */
export interface RateOwner {
  readonly host: string
  readonly itemId: string | number
}

/**
 * One tree of token buckets, total over hosts over items, that add up: no level is ever exceeded in the mean, and
 * each is reached when there is enough to read. Reading is charged after it happened: the reader goes on until
 * told to wait, and a chunk more than was allowed is paid back.
 */
export interface RateLimiter {
  /**
   * Charges bytes that arrived. Gives the milliseconds to wait before reading on, 0 to go on at once. The wait holds
   * after the last chunk too: who has many small items must not start the next before. `take(0, owner)` gives
   * what is left of the wait; for an item not seen yet, what its host and the total still owe.
   */
  take(bytes: number, owner: RateOwner): number
  /** The item is over. Its host is forgotten once it owes nothing. */
  release(owner: RateOwner): void
  /** Changes limits while running; waits in progress change with them (ask again with `take(0, owner)`). */
  update(limits: RateLimits): void
  /** Gives one item a limit of its own in place of `perItemBps`; undefined takes it back. */
  limitItem(owner: RateOwner, bps: number | undefined): void
  /** Called after limits changed, so that waiting readers ask again. */
  onUpdate(listen: () => void): () => void
  /** As a load signal for the governor: true while the total or a host's limit holds readers back. */
  overloaded(): boolean
  /** Hosts and items that are remembered; for tests and reports. */
  readonly size: { readonly hosts: number; readonly items: number }
}

export interface RateLimiterOptions extends RateLimits {
  readonly clock?: Clock
  /** Limits of single hosts in place of those of all; asked when a host or an item is met, and on `update`. */
  readonly hostLimits?: (host: string) => Omit<RateLimits, 'totalBps'> | undefined
}

/** A reader was held back within this time: the limit is what bounds the goodput. */
const holdingMs = 250
const sweepAt = 1024

export function createRateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  return new BucketTree(options)
}

interface ItemNode {
  readonly bucket: Bucket
  readonly host: string
  ownBps: number | undefined
  /** When the item may read on. */
  readyAtMs: number
  /** The bucket that set it. */
  readyBy: Bucket
}

class BucketTree implements RateLimiter {
  readonly #clock: Clock
  readonly #total: Bucket
  readonly #hosts = new Map<string, Bucket>()
  readonly #items = new Map<string | number, ItemNode>()
  readonly #listeners = new Set<() => void>()
  #limits: { total: number; host: number; item: number }
  #limiting: boolean
  readonly #hasHostLimits: boolean
  readonly #hostLimits: NonNullable<RateLimiterOptions['hostLimits']>
  #heldAtMs = -Infinity
  #sweepAt = sweepAt

  constructor(options: RateLimiterOptions) {
    this.#clock = options.clock ?? systemClock
    this.#limits = limitsOf(options)
    this.#hasHostLimits = options.hostLimits !== undefined
    this.#hostLimits = options.hostLimits ?? (() => undefined)
    this.#total = new Bucket(this.#limits.total, this.#clock.now())
    this.#limiting = this.#limitsAnything()
  }

  get size(): { readonly hosts: number; readonly items: number } {
    return { hosts: this.#hosts.size, items: this.#items.size }
  }

  take(bytes: number, owner: RateOwner): number {
    if (!this.#limiting) return 0
    const nowMs = this.#clock.now()
    if (bytes <= 0) return this.#remainingMs(owner, nowMs)
    const item = this.#items.get(owner.itemId) ?? this.#meetItem(owner, nowMs)
    const host = this.#hosts.get(owner.host) ?? this.#meetHost(owner, nowMs)
    const totalMs = this.#total.charge(bytes, nowMs)
    const hostMs = host.charge(bytes, nowMs)
    const itemMs = item.bucket.charge(bytes, nowMs)
    const waitMs = Math.max(totalMs, hostMs, itemMs)
    if (waitMs > 0) {
      item.readyAtMs = nowMs + waitMs
      item.readyBy = waitMs === totalMs ? this.#total : waitMs === hostMs ? host : item.bucket
      if (item.readyBy !== item.bucket) this.#heldAtMs = nowMs
    }
    return waitMs
  }

  release(owner: RateOwner): void {
    this.#items.delete(owner.itemId)
    const nowMs = this.#clock.now()
    // A full bucket may be made anew, whoever else still uses it.
    if (this.#hosts.get(owner.host)?.full(nowMs)) this.#hosts.delete(owner.host)
    if (this.#hosts.size > this.#sweepAt) this.#sweep(nowMs)
  }

  update(limits: RateLimits): void {
    const nowMs = this.#clock.now()
    const next = limitsOf({
      totalBps: 'totalBps' in limits ? limits.totalBps : this.#limits.total,
      perHostBps: 'perHostBps' in limits ? limits.perHostBps : this.#limits.host,
      perItemBps: 'perItemBps' in limits ? limits.perItemBps : this.#limits.item,
    })
    this.#limits = next
    const stretched = new Map<Bucket, number>([[this.#total, this.#total.setBps(next.total, nowMs)]])
    for (const [name, host] of this.#hosts) stretched.set(host, host.setBps(this.#hostBps(name), nowMs))
    for (const item of this.#items.values()) {
      stretched.set(item.bucket, item.bucket.setBps(item.ownBps ?? this.#itemBps(item.host), nowMs))
      stretchWait(item, stretched.get(item.readyBy) ?? 1, nowMs)
    }
    this.#changed()
  }

  limitItem(owner: RateOwner, bps: number | undefined): void {
    const nowMs = this.#clock.now()
    this.#limiting ||= bps !== undefined
    const item = this.#items.get(owner.itemId) ?? this.#meetItem(owner, nowMs)
    item.ownBps = bps === undefined ? undefined : rateOf(bps)
    const stretch = item.bucket.setBps(item.ownBps ?? this.#itemBps(item.host), nowMs)
    if (item.readyBy === item.bucket) stretchWait(item, stretch, nowMs)
    this.#changed()
  }

  onUpdate(listen: () => void): () => void {
    this.#listeners.add(listen)
    return () => this.#listeners.delete(listen)
  }

  overloaded(): boolean {
    return this.#limiting && this.#clock.now() - this.#heldAtMs < holdingMs
  }

  #remainingMs(owner: RateOwner, nowMs: number): number {
    const item = this.#items.get(owner.itemId)
    if (item) return Math.max(0, item.readyAtMs - nowMs)
    const host = this.#hosts.get(owner.host)
    return Math.max(this.#total.debtMs(nowMs), host ? host.debtMs(nowMs) : 0)
  }

  #meetHost(owner: RateOwner, nowMs: number): Bucket {
    const bucket = new Bucket(this.#hostBps(owner.host), nowMs)
    this.#hosts.set(owner.host, bucket)
    return bucket
  }

  #meetItem(owner: RateOwner, nowMs: number): ItemNode {
    const bucket = new Bucket(this.#itemBps(owner.host), nowMs)
    const item: ItemNode = { bucket, host: owner.host, ownBps: undefined, readyAtMs: 0, readyBy: bucket }
    this.#items.set(owner.itemId, item)
    return item
  }

  #hostBps(host: string): number {
    const own = this.#hostLimits(host)?.perHostBps
    return own === undefined ? this.#limits.host : rateOf(own)
  }

  #itemBps(host: string): number {
    const own = this.#hostLimits(host)?.perItemBps
    return own === undefined ? this.#limits.item : rateOf(own)
  }

  /** Hosts that still owed something when their last item ended, and have paid since. */
  #sweep(nowMs: number): void {
    for (const [host, bucket] of this.#hosts) if (bucket.full(nowMs)) this.#hosts.delete(host)
    this.#sweepAt = Math.max(sweepAt, 2 * this.#hosts.size)
  }

  #changed(): void {
    this.#limiting = this.#limitsAnything()
    for (const listen of this.#listeners) listen()
  }

  #limitsAnything(): boolean {
    const { total, host, item } = this.#limits
    if (this.#hasHostLimits || Math.min(total, host, item) < Infinity) return true
    for (const node of this.#items.values()) if (node.ownBps !== undefined) return true
    return false
  }
}

function stretchWait(item: ItemNode, stretch: number, nowMs: number): void {
  if (item.readyAtMs > nowMs) item.readyAtMs = nowMs + (item.readyAtMs - nowMs) * stretch
}

function limitsOf(limits: RateLimits): { total: number; host: number; item: number } {
  return {
    total: rateOf(limits.totalBps),
    host: rateOf(limits.perHostBps),
    item: rateOf(limits.perItemBps),
  }
}

/** No limit for what is missing or not above zero, as with curl and aria2. */
function rateOf(bps: number | undefined): number {
  return bps !== undefined && bps > 0 ? bps : Infinity
}
