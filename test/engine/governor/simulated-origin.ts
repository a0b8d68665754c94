import type { VirtualTime } from './virtual-time.ts'

/** How a simulated origin behaves. Rates are per second; what is not given does not limit. */
export interface OriginTraits {
  /** Time from request to headers. */
  readonly latencyMs?: number
  /** Spread of the latency: 0.2 means 0.8 to 1.2 times. */
  readonly jitter?: number
  /** Added to the first request of a new connection (TCP and TLS handshakes). */
  readonly connectMs?: number
  readonly requestsPerSecond?: number
  readonly connectionBps?: number
  readonly totalBps?: number
  /** Bodies come in lumps of this size, as nginx's limit_rate sends them. */
  readonly lumpBytes?: number
  /** Above this many requests at once, all of them together get done only 1/`collapseFactor` of the best. */
  readonly collapseAbove?: number
  readonly collapseFactor?: number
  /** In place of the factor: everything takes (requests / collapseAbove) to this power as long. */
  readonly collapsePower?: number
  /** Above this many requests at once, the surplus gets 429. */
  readonly throttleAbove?: number
  /** Requests above this rate (over one second) get 429. */
  readonly throttleRate?: number
  readonly retryAfterMs?: number
  /** Above this many requests at once, the surplus is reset. */
  readonly resetAbove?: number
  /** Now and then (each 400 ms on average) it answers nothing for 50 to 150 ms. */
  readonly stalls?: boolean
  /** Share of requests that fail before their headers, however many there are. */
  readonly failShare?: number
  /** Share of requests whose bodies break off in the middle. */
  readonly breakShare?: number
  /** Share of requests whose bodies stop, so that the client gives them up after `hangMs`. */
  readonly hangShare?: number
  readonly hangMs?: number
  /** Share of requests that get 429, however many there are. */
  readonly refuseShare?: number
}

export interface Exchange {
  readonly onHeaders: () => void
  readonly onBytes: (count: number) => void
  readonly onEnd: (end: 'ok' | 'error' | 'throttled', retryAfterMs: number) => void
}

/** Small, seeded and good enough for jitter (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const chunkBytes = 64 * 1024

/** An origin in virtual time: latency, caps, collapse and refusals, as `OriginTraits` say. */
export class SimulatedOrigin {
  traits: OriginTraits
  throttled = 0
  served = 0
  peak = 0
  /** When each request was refused. */
  readonly throttledAtMs: number[] = []
  readonly #time: VirtualTime
  readonly #random: () => number
  #active = 0
  #transfers = 0
  #busyUntilMs = 0
  #idleConnections = 0
  #rateWindowMs = 0
  #rateCount = 0
  #stalledUntilMs = 0

  constructor(time: VirtualTime, traits: OriginTraits, random: () => number) {
    this.#time = time
    this.traits = traits
    this.#random = random
    if (traits.stalls) this.#stallNowAndThen()
  }

  #stallNowAndThen(): void {
    this.#time.after(800 * this.#random(), () => {
      this.#stalledUntilMs = this.#time.now() + 50 + 100 * this.#random()
      this.#stallNowAndThen()
    })
  }

  request(sizeBytes: number, exchange: Exchange): void {
    const { traits } = this
    const fresh = this.#idleConnections === 0
    if (!fresh) this.#idleConnections--
    const connectMs = fresh ? (traits.connectMs ?? 0) : 0
    if (connectMs > 0) this.#time.after(connectMs, () => this.#arrive(sizeBytes, exchange))
    else this.#arrive(sizeBytes, exchange)
  }

  #arrive(sizeBytes: number, exchange: Exchange): void {
    const { traits } = this
    this.#active++
    this.peak = Math.max(this.peak, this.#active)
    const rtt = (traits.latencyMs ?? 0) * (1 + (traits.jitter ?? 0) * (2 * this.#random() - 1))
    const over = this.#active > (traits.resetAbove ?? Infinity)
    if (over || this.#draw(traits.failShare)) {
      this.#active--
      return this.#end(exchange, 'error', Math.min(rtt, 5))
    }
    if (
      this.#active > (traits.throttleAbove ?? Infinity) ||
      this.#overRate() ||
      this.#draw(traits.refuseShare)
    ) {
      this.throttled++
      this.throttledAtMs.push(this.#time.now())
      this.#active--
      return this.#end(exchange, 'throttled', Math.min(rtt, 5))
    }
    const slow = this.#slowness()
    let headersMs = rtt * slow
    if (traits.requestsPerSecond) {
      const now = this.#time.now()
      this.#busyUntilMs = Math.max(this.#busyUntilMs, now) + (1000 / traits.requestsPerSecond) * slow
      headersMs = Math.max(headersMs, this.#busyUntilMs - now + rtt)
    }
    this.#time.after(headersMs, () => this.#answer(sizeBytes, exchange))
  }

  #answer(sizeBytes: number, exchange: Exchange): void {
    const stalledMs = this.#stalledUntilMs - this.#time.now()
    if (stalledMs > 0) return void this.#time.after(stalledMs, () => this.#answer(sizeBytes, exchange))
    exchange.onHeaders()
    const { breakShare, hangShare, hangMs = 2000 } = this.traits
    const hangs = this.#draw(hangShare)
    if (hangs || this.#draw(breakShare)) {
      exchange.onBytes(Math.min(1000, sizeBytes))
      return this.#end(exchange, 'broken', hangs ? hangMs : 0)
    }
    this.#transfers++
    this.#send(sizeBytes, exchange)
  }

  /** True for this share of the calls. What is not given draws nothing, so that it changes no other run. */
  #draw(share: number | undefined): boolean {
    return share !== undefined && this.#random() < share
  }

  #slowness(): number {
    const { collapseAbove = Infinity, collapseFactor = 5, collapsePower } = this.traits
    if (this.#active <= collapseAbove) return 1
    const excess = this.#active / collapseAbove
    return collapsePower === undefined ? collapseFactor * excess : excess ** collapsePower
  }

  #overRate(): boolean {
    if (!this.traits.throttleRate) return false
    const now = this.#time.now()
    if (now - this.#rateWindowMs >= 1000) {
      this.#rateWindowMs = now
      this.#rateCount = 0
    }
    return ++this.#rateCount > this.traits.throttleRate
  }

  #send(leftBytes: number, exchange: Exchange): void {
    const { connectionBps = Infinity, totalBps = Infinity, lumpBytes = chunkBytes } = this.traits
    const bytes = Math.min(leftBytes, lumpBytes)
    const bps = Math.min(connectionBps, totalBps / this.#transfers) / this.#slowness()
    const tookMs = (bytes / bps) * 1000
    const arrive = (): void => {
      for (let left = bytes; left > 0; left -= chunkBytes) exchange.onBytes(Math.min(left, chunkBytes))
    }
    const next = (): void => {
      if (leftBytes > bytes) return this.#send(leftBytes - bytes, exchange)
      this.#transfers--
      this.served++
      this.#end(exchange, 'ok', 0)
    }
    // A lump comes at once and is waited for afterwards; plain chunks arrive when their time is up.
    if (lumpBytes > chunkBytes) {
      arrive()
      this.#time.after(tookMs, next)
    } else if (tookMs > 0) {
      this.#time.after(tookMs, () => {
        arrive()
        next()
      })
    } else {
      arrive()
      next()
    }
  }

  #end(exchange: Exchange, end: 'ok' | 'error' | 'broken' | 'throttled', afterMs: number): void {
    const finish = (): void => {
      if (end === 'ok' || end === 'broken') this.#active--
      if (end === 'ok' || end === 'throttled') this.#idleConnections++
      exchange.onEnd(
        end === 'broken' ? 'error' : end,
        end === 'throttled' ? (this.traits.retryAfterMs ?? 0) : 0,
      )
    }
    if (afterMs > 0) this.#time.after(afterMs, finish)
    else finish()
  }
}
