import {
  createGovernor,
  type GovernorOptions,
  type HostMemory,
  type Lease,
} from '../../../src/engine/governor/index.ts'
import { seededRandom, SimulatedOrigin, type OriginTraits } from './simulated-origin.ts'
import { VirtualTime } from './virtual-time.ts'

export interface SimulationOptions {
  readonly origin: OriginTraits
  /** Size of each file; one number, or a draw. */
  readonly sizeBytes: number | ((random: () => number) => number)
  /** Stops when so many files are done. */
  readonly files?: number
  /** Stops at this time. */
  readonly untilMs?: number
  /** Time of the one thread of the client for one request; it works on one thing at a time. */
  readonly clientMs?: number
  /** The thread's time for one MiB. */
  readonly clientMsPerMiB?: number
  /** The thread is slower by this factor at first, and warm after 2,000 requests. */
  readonly cold?: number
  /** Now and then (once in 50 ms on average) the thread stands still for 8 ms. */
  readonly pauses?: boolean
  readonly seed?: number
  readonly governor?: Omit<GovernorOptions, 'clock' | 'random'>
  /** Passes a load signal of the simulated thread to the governor. */
  readonly watchLoad?: boolean
  /** Changes the origin while it runs. */
  readonly changes?: readonly { readonly atMs: number; readonly traits: OriginTraits }[]
}

export interface SimulationResult {
  readonly endMs: number
  readonly files: number
  readonly bytes: number
  readonly throttled: number
  readonly errors: number
  readonly peak: number
  /** The limit every 50 ms. */
  readonly limits: readonly number[]
  /** Files done up to each 50 ms. */
  readonly filesAt: readonly number[]
  readonly bytesAt: readonly number[]
  readonly throttledAtMs: readonly number[]
  /** What changed the limit, and when. */
  readonly log: readonly string[]
  /** What the governor would tell the next run. */
  readonly learned: readonly HostMemory[]
}

const sampleMs = 50
const host = 'origin.test'

/** Runs a client against a simulated origin, in virtual time. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run()
}

/** Files per second between two moments. */
export function fileRate(result: SimulationResult, fromMs: number, toMs: number): number {
  return perSecond(result.filesAt, fromMs, toMs)
}

/** Bytes per second between two moments. */
export function byteRate(result: SimulationResult, fromMs: number, toMs: number): number {
  return perSecond(result.bytesAt, fromMs, toMs)
}

/** The lowest and highest limit between two moments. */
export function limitRange(result: SimulationResult, fromMs: number, toMs: number): [number, number] {
  const part = result.limits.slice(Math.ceil(fromMs / sampleMs), Math.floor(toMs / sampleMs) + 1)
  return [Math.min(...part), Math.max(...part)]
}

/** The mean limit between two moments. */
export function meanLimit(result: SimulationResult, fromMs: number, toMs: number): number {
  const part = result.limits.slice(Math.ceil(fromMs / sampleMs), Math.floor(toMs / sampleMs) + 1)
  return part.reduce((sum, limit) => sum + limit, 0) / part.length
}

/** The same work with a fixed number of requests at once. */
export function simulateFixed(options: SimulationOptions, perHost: number): SimulationResult {
  return simulate({ ...options, governor: { limits: { perHost } } })
}

function perSecond(counts: readonly number[], fromMs: number, toMs: number): number {
  const from = counts[Math.round(fromMs / sampleMs)] ?? 0
  const to = counts[Math.round(toMs / sampleMs)] ?? counts.at(-1) ?? 0
  return ((to - from) / (toMs - fromMs)) * 1000
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #time = new VirtualTime()
  readonly #random: () => number
  readonly #origin: SimulatedOrigin
  readonly #governor
  readonly #limits: number[] = []
  readonly #filesAt: number[] = []
  readonly #bytesAt: number[] = []
  readonly #log: string[] = []
  #started = 0
  #again = 0
  #done = 0
  #bytes = 0
  #errors = 0
  #threadFreeMs = 0
  #busyMs = 0
  #loadAtMs = 0
  #loadBusyMs = 0
  #full = false
  #over = false

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed ?? 1)
    this.#origin = new SimulatedOrigin(this.#time, options.origin, this.#random)
    const signal = { overloaded: () => this.#threadIsFull() }
    this.#governor = createGovernor({
      clock: this.#time,
      random: this.#random,
      ...options.governor,
      loadSignals: options.governor?.loadSignals ?? (options.watchLoad ? [signal] : []),
    })
  }

  run(): SimulationResult {
    const { files = Infinity, untilMs = 600_000, changes = [] } = this.#options
    this.#governor.onEvent((event) => {
      if (event.type === 'limit') {
        this.#log.push(`${Math.round(this.#time.now())} ${event.reason} ${event.limit}`)
      }
    })
    for (const change of changes) {
      this.#time.after(change.atMs, () => (this.#origin.traits = change.traits))
    }
    this.#governor.onCapacity(() => this.#pump())
    if (this.#options.pauses) this.#pauseNowAndThen()
    this.#pump()
    this.#sample()
    while (!this.#over && this.#done < files && this.#time.now() < untilMs) this.#time.advance(sampleMs)
    this.#over = true
    return {
      endMs: this.#time.now(),
      files: this.#done,
      bytes: this.#bytes,
      throttled: this.#origin.throttled,
      errors: this.#errors,
      peak: this.#origin.peak,
      limits: this.#limits,
      filesAt: this.#filesAt,
      bytesAt: this.#bytesAt,
      throttledAtMs: this.#origin.throttledAtMs,
      log: this.#log,
      learned: this.#governor.learned(),
    }
  }

  #sample(): void {
    if (this.#over) return
    this.#limits.push(this.#governor.snapshot().hosts[0]?.limit ?? 0)
    this.#filesAt.push(this.#done)
    this.#bytesAt.push(this.#bytes)
    this.#time.after(sampleMs, () => this.#sample())
  }

  #pump(): void {
    const { files = Infinity } = this.#options
    while (!this.#over && (this.#again > 0 || this.#started < files)) {
      const lease = this.#governor.tryAcquire(host)
      if (!lease) return
      if (this.#again > 0) this.#again--
      else this.#started++
      this.#start(lease)
    }
  }

  #start(lease: Lease): void {
    const { sizeBytes, clientMs = 0, clientMsPerMiB = 0 } = this.#options
    const size = typeof sizeBytes === 'number' ? sizeBytes : sizeBytes(this.#random)
    this.#onThread(clientMs / 2, () =>
      this.#origin.request(size, {
        onHeaders: () => this.#onThread(0, () => lease.headers()),
        onBytes: (count) =>
          this.#onThread((clientMsPerMiB * count) / 1_048_576, () => {
            this.#bytes += count
            lease.bytes(count)
          }),
        onEnd: (end, retryAfterMs) => this.#onThread(clientMs / 2, () => this.#end(lease, end, retryAfterMs)),
      }),
    )
  }

  #end(lease: Lease, end: 'ok' | 'error' | 'throttled', retryAfterMs: number): void {
    if (end === 'ok') {
      this.#done++
      if (this.#done === this.#options.files) this.#over = true
    } else {
      this.#again++
      if (end === 'error') this.#errors++
      if (retryAfterMs > 0) this.#governor.pauseHost(host, retryAfterMs, 'Retry-After')
    }
    lease.release({ result: end })
    this.#pump()
  }

  #onThread(costMs: number, run: () => void): void {
    const now = this.#time.now()
    const warm = Math.min(1, this.#done / 2000)
    const cost = costMs * (1 + ((this.#options.cold ?? 1) - 1) * (1 - warm))
    if (cost === 0 && this.#threadFreeMs <= now) return run()
    this.#threadFreeMs = Math.max(this.#threadFreeMs, now) + cost
    this.#busyMs += cost
    this.#time.after(this.#threadFreeMs - now, run)
  }

  /** As the load of an event loop is measured: over the last tenth of a second or more. */
  #threadIsFull(): boolean {
    const now = this.#time.now()
    const doneMs = this.#busyMs - Math.max(0, this.#threadFreeMs - now)
    if (now - this.#loadAtMs >= 100) {
      this.#full = (doneMs - this.#loadBusyMs) / (now - this.#loadAtMs) > 0.95
      this.#loadAtMs = now
      this.#loadBusyMs = doneMs
    }
    return this.#full
  }

  #pauseNowAndThen(): void {
    this.#time.after(100 * this.#random(), () => {
      if (this.#over) return
      this.#threadFreeMs = Math.max(this.#threadFreeMs, this.#time.now()) + 8
      this.#busyMs += 8
      this.#pauseNowAndThen()
    })
  }
}
