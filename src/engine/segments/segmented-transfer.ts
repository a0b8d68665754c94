import { crc32 } from 'node:zlib'
import {
  toTrawlError,
  TrawlError,
  type Clock,
  type Digest,
  type Extent,
  type Place,
  type Validators,
} from '../../core/index.ts'
import { formatRange, type Transport, type TransportResponse } from '../../http/index.ts'
import type { Sink } from '../../storage/index.ts'
import { reportOf, type Lease, type LeaseReport } from '../governor/index.ts'
import type { KeptBytes, TransferCallbacks, TransferOrder } from '../transfer/transfer.ts'
import { judgeResponse } from '../transfer/judge-response.ts'
import { waitForRate } from '../transfer/wait-for-rate.ts'
import { AnnouncedFile, combineCrc32, partDigestOf } from '../verify/index.ts'
import { leftOut, MirrorSet } from '../mirrors/index.ts'
import { areWeak, checkRangeAnswer, ifRangeOf, refuseHtml, validatorsOf } from './range-answer.ts'
import { Runner } from './runner.ts'
import { SegmentTable, type Segment } from './segment-table.ts'

export interface SegmentedTransferOptions {
  readonly order: TransferOrder
  readonly callbacks: TransferCallbacks
  readonly transport: Transport
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly sink: Sink
  readonly generation: number
  readonly lengthBytes: number
  readonly contentType: string | undefined
  /** What the first answer says of the bytes of the whole file. */
  readonly digest: Digest | undefined
  /** By origin, as far as known. */
  readonly validators: Record<string, Validators>
  /** False where the server said that it has no ranges. */
  readonly rangesAllowed: boolean
  readonly hostOf: (url: string) => string
}

/** A split costs a connection; below these it does not pay. */
const minSegmentBytes = 1024 * 1024
const payoffMs = 2000
const overlapBytes = 64 * 1024
const checkpointBytes = 2 * 1024 * 1024
const lookEveryMs = 250

/**
 * One file over one or more connections at once: starts with the body that is already coming, adds connections while
 * leases are to be had and it pays, steals from the slowest, restarts slow ones. Ends when every byte is in the sink.
 */
export class SegmentedTransfer {
  readonly #options: SegmentedTransferOptions
  readonly #table: SegmentTable
  readonly #runners = new Set<Runner>()
  readonly #abort = new AbortController()
  readonly #stopListening: () => void
  readonly #announced: AnnouncedFile
  readonly #mirrors: MirrorSet
  #useIfRange = true
  #ranges: boolean
  #unsavedBytes = 0
  #stopTimer: (() => void) | undefined
  #finish: { readonly resolve: () => void; readonly reject: (error: TrawlError) => void } | undefined
  #failure: TrawlError | undefined
  #lastError: TrawlError | undefined

  constructor(options: SegmentedTransferOptions) {
    this.#options = options
    this.#table = new SegmentTable(options.lengthBytes)
    const { places, mirrored } = options.order
    this.#mirrors = new MirrorSet(mirrored ? places : places.slice(0, 1), Object.keys(options.validators))
    this.#ranges = options.rangesAllowed
    this.#announced = new AnnouncedFile(options.order.task.digests, options.digest)
    const onAbort = (): void => this.#abort.abort(options.signal.reason)
    options.signal.addEventListener('abort', onAbort, { once: true })
    const stopCapacity = options.callbacks.onCapacity(() => this.#grow())
    this.#stopListening = () => {
      stopCapacity()
      options.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Takes bytes of an earlier run as given, with checksums made anew from the disk. */
  resume(there: readonly Extent[]): void {
    for (const extent of there) {
      let sum = 0
      for (let at = extent.start; at < extent.end; at += minSegmentBytes) {
        sum = crc32(this.#options.sink.read(at, Math.min(minSegmentBytes, extent.end - at)), sum)
      }
      this.#table.fill(extent, sum)
    }
  }

  /**
   * Resolves with the CRC-32 of the whole file when all of it is in the sink. `response` is an answer whose body starts
   * at byte 0; without it, the lease is used to ask for what is missing. The lease is released here.
   * Rejects with the error that ended the transfer; what is on disk is told by `kept`.
   */
  async run(lease: Lease, response?: TransportResponse): Promise<number> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#finish = { resolve, reject }
        this.#startWith(lease, response)
        this.#stopTimer = this.#options.clock.after(lookEveryMs, () => this.#look())
        if (!response || this.#options.order.split !== undefined) this.#grow()
        this.#endIfDone()
      })
    } finally {
      this.#stopTimer?.()
      this.#stopListening()
    }
    return this.#wholeCrc()
  }

  /** How the places did that this transfer used. */
  get mirrors(): MirrorSet {
    return this.#mirrors
  }

  /** The digest of the whole file that the servers told, all the same. */
  get announced(): Digest | undefined {
    return this.#announced.digest
  }

  /** What is safely on disk, for going on later. */
  async kept(): Promise<KeptBytes | undefined> {
    const extents = await this.#options.sink.checkpoint()
    if (extents.length === 0 || !this.#options.sink.properties.durable) return undefined
    return this.#keptOf(extents)
  }

  /** Ends the transfer with this error; what is on disk is told by `kept`. */
  stop(error: TrawlError): void {
    this.#fail(error)
    for (const runner of this.#runners) runner.response?.body.cancel()
    this.#endIfStuck()
  }

  #startWith(lease: Lease, response: TransportResponse | undefined): void {
    const segment = this.#table.takeFree()
    const place = this.#options.order.places[0]
    if (!segment || !place) {
      lease.release({ result: 'ok' })
      response?.body.cancel()
      return
    }
    if (response) this.#mirrors.answered(place, this.#options.hostOf(response.url))
    void this.#serve(new Runner(segment, lease, place, this.#options.clock.now()), response)
  }

  /** Opens as many further connections as are allowed and pay. */
  #grow(): void {
    const { order } = this.#options
    while (!this.#failure && this.#finish) {
      if (this.#runners.size > 0 && !this.#ranges) return
      const most = order.split ?? 256
      if (this.#runners.size >= most) return
      const wanted = this.#table.segments.some((each) => !each.taken && each.at < each.end)
      if (!wanted && !this.#mayPay()) return
      const granted = this.#acquire()
      if (!granted) return
      const { place, lease } = granted
      const segment = this.#table.takeFree() ?? this.#steal()
      if (!segment) {
        lease.release({ result: 'cancelled' })
        return
      }
      void this.#serve(new Runner(segment, lease, place, this.#options.clock.now()), undefined)
    }
  }

  #steal(): Segment | undefined {
    const isAsked = this.#options.order.split !== undefined
    return this.#table.steal({ minBytes: minSegmentBytes, minRemainingMs: isAsked ? 0 : payoffMs })
  }

  #mayPay(): boolean {
    if (this.#options.order.split !== undefined) return true
    return this.#table.segments.some(
      (each) =>
        each.taken &&
        each.rateBps > 0 &&
        ((each.end - each.at) / each.rateBps) * 1000 > payoffMs &&
        each.end - each.at >= 2 * minSegmentBytes,
    )
  }

  /** One more connection, to the best place whose host grants one now. */
  #acquire(): { readonly place: Place; readonly lease: Lease } | undefined {
    for (const place of this.#readyPlaces()) {
      const lease = this.#options.callbacks.acquire(this.#options.hostOf(place.url))
      if (lease) return { place, lease }
    }
    return undefined
  }

  #readyPlaces(): readonly Place[] {
    const users = (place: Place): number => [...this.#runners].filter((each) => each.place === place).length
    return this.#mirrors.ranked(users, this.#options.clock.now())
  }

  async #serve(runner: Runner, given: TransportResponse | undefined): Promise<void> {
    this.#runners.add(runner)
    this.#options.callbacks.connections(this.#options.order, this.#runners.size)
    let report: LeaseReport = { result: 'ok' }
    try {
      const response = given ?? (await this.#ask(runner))
      runner.response = response
      await this.#take(runner, response)
    } catch (thrown) {
      const error = toTrawlError(thrown)
      report = reportOf(error)
      this.#runnerFailed(runner, error)
    }
    this.#runners.delete(runner)
    this.#options.callbacks.connections(this.#options.order, this.#runners.size)
    this.#table.release(runner.segment)
    runner.lease.release(report)
    this.#endIfDone()
    this.#grow()
    this.#endIfStuck()
  }

  async #ask(runner: Runner): Promise<TransportResponse> {
    const { order, transport, lengthBytes, sink, hostOf, clock } = this.#options
    const { segment, place } = runner
    const expected = this.#mirrors.originOf(place)
    const validators = expected === undefined ? undefined : this.#options.validators[expected]
    const checkBytes = this.#needsOverlap(segment, validators) ? Math.min(overlapBytes, segment.at) : 0
    const start = segment.at - checkBytes
    const { end } = segment
    const ifRange = this.#useIfRange ? ifRangeOf(validators) : undefined
    const headers = {
      ...order.task.headers,
      ...place.headers,
      range: formatRange(start, segment.end),
      ...(ifRange === undefined ? {} : { 'if-range': ifRange }),
    }
    const response = await transport.send(
      { method: 'GET', url: place.url, headers },
      { signal: this.#abort.signal },
    )
    runner.lease.headers()
    const origin = hostOf(response.url)
    const known = this.#options.validators[origin]
    runner.sentIfRange = ifRange !== undefined
    runner.isKnown = known !== undefined
    this.#mirrors.answered(place, origin)
    try {
      refuseHtml(response, this.#options.contentType)
      const refused = response.status === 416 ? undefined : judgeResponse(response, clock)
      if (refused) throw refused
      checkRangeAnswer(response, { start, end, lengthBytes, validators: known })
      this.#announced.check(response, this.#mirrors.size)
    } catch (error) {
      response.body.cancel()
      throw error
    }
    if (!known && checkBytes === 0 && this.#needsOverlap(segment, undefined)) {
      // Redirected to an origin that has given nothing yet: what it has is compared with what is there.
      response.body.cancel()
      return this.#ask(runner)
    }
    this.#options.validators[origin] ??= validatorsOf(response)
    runner.partDigest = partDigestOf(response)
    if (checkBytes > 0) runner.overlap = sink.read(start, checkBytes)
    return response
  }

  /** Where nothing identifies the version, bytes at the seam of an earlier run are compared. */
  #needsOverlap(segment: Segment, validators: Validators | undefined): boolean {
    return (
      areWeak(validators) &&
      segment.at > 0 &&
      this.#options.sink.properties.readable &&
      this.#isThere(segment.at)
    )
  }

  #isThere(offset: number): boolean {
    return this.#table.segments.some(
      (each) => each.start <= offset - Math.min(overlapBytes, offset) && each.at >= offset,
    )
  }

  async #take(runner: Runner, response: TransportResponse): Promise<void> {
    const { sink, generation, order, callbacks } = this.#options
    const { segment, lease } = runner
    await response.body.drain((whole) => {
      if (this.#failure || runner.given) return false
      runner.partDigest?.update(whole)
      const chunk = runner.overlap ? this.#compareOverlap(runner, whole) : whole
      const left = segment.end - segment.at
      const part = chunk.length > left ? chunk.subarray(0, left) : chunk
      lease.bytes(whole.length)
      const waitMs = callbacks.received(order, lease.host, whole.length)
      if (part.length === 0) return left === 0 ? false : undefined
      const written = sink.write(segment.at, part, generation)
      segment.crc32 = crc32(part, segment.crc32)
      segment.at += part.length
      runner.receivedBytes += part.length
      this.#received(part.length)
      if (segment.at >= segment.end) return written === undefined ? false : written.then(() => false)
      if (waitMs <= 0) return written
      const wait = (): Promise<void> => this.#wait(waitMs, lease.host)
      return written === undefined ? wait() : written.then(wait)
    })
    if (runner.receivedBytes > 0) this.#mirrors.gave(runner.place)
    runner.partDigest?.check()
    if (segment.at < segment.end && !runner.given && !this.#failure) {
      throw new TrawlError(
        'ERR_LENGTH_MISMATCH',
        `the connection ended ${segment.end - segment.at} bytes early`,
      )
    }
  }

  #compareOverlap(runner: Runner, chunk: Buffer): Buffer {
    const expected = runner.overlap ?? Buffer.alloc(0)
    const count = Math.min(expected.length, chunk.length)
    if (chunk.compare(expected, 0, count, 0, count) !== 0) {
      throw new TrawlError('ERR_ENTITY_CHANGED', 'bytes that are there differ from what the server sends now')
    }
    runner.overlap = count < expected.length ? expected.subarray(count) : undefined
    return chunk.subarray(count)
  }

  #received(count: number): void {
    this.#unsavedBytes += count
    if (this.#unsavedBytes < checkpointBytes) return
    this.#unsavedBytes = 0
    const { sink, callbacks, order } = this.#options
    if (!sink.properties.durable) return
    const extents = sink.checkpoint()
    // On a slow disk the next round is soon enough.
    if ('then' in extents) void extents.then((each) => this.#save(each)).catch(() => {})
    else callbacks.checkpoint(order, this.#keptOf(extents))
  }

  #save(extents: KeptBytes['extents']): void {
    if (this.#finish) this.#options.callbacks.checkpoint(this.#options.order, this.#keptOf(extents))
  }

  #keptOf(extents: KeptBytes['extents']): KeptBytes {
    const { generation, lengthBytes, validators, contentType } = this.#options
    return {
      generation,
      extents,
      lengthBytes,
      validators: { ...validators },
      ...(contentType === undefined ? {} : { contentType }),
    }
  }

  /** A look every quarter of a second: rates, more connections, slow ones. */
  #look(): void {
    const now = this.#options.clock.now()
    for (const runner of this.#runners) {
      runner.measure(now)
      if (runner.receivedBytes > 0) this.#mirrors.gave(runner.place, runner.segment.rateBps)
    }
    this.#shrink()
    this.#grow()
    this.#restartSlow(now)
    if (this.#finish) this.#stopTimer = this.#options.clock.after(lookEveryMs, () => this.#look())
  }

  /** Fewer connections are wanted than there are: those with the least left go on, the others give theirs up. */
  #shrink(): void {
    const most = this.#options.order.split
    if (most === undefined || this.#runners.size <= most) return
    const left = ({ segment }: Runner): number => segment.end - segment.at
    const kept = [...this.#runners].filter(({ given }) => !given).toSorted((a, b) => left(a) - left(b))
    for (const runner of kept.slice(most)) {
      runner.given = true
      runner.response?.body.cancel()
    }
  }

  /** A connection far slower than its fellows near the end is given up; another takes its segment. */
  #restartSlow(now: number): void {
    if (this.#runners.size < 3 || !this.#ranges) return
    const rates = [...this.#runners].map((each) => each.segment.rateBps).toSorted((a, b) => a - b)
    const median = rates[Math.floor(rates.length / 2)] ?? 0
    for (const runner of this.#runners) {
      const { segment } = runner
      const left = segment.end - segment.at
      const isSlow = segment.rateBps < median * 0.3 && now - runner.startedMs > 3000
      // A new connection must be expected to be done well before this one.
      if (!isSlow || segment.restarts >= 3 || left / Math.max(1, segment.rateBps) < 3 + (2 * left) / median)
        continue
      segment.restarts++
      runner.given = true
      runner.response?.body.cancel()
      return
    }
  }

  #runnerFailed(runner: Runner, error: TrawlError): void {
    if (this.#failure || runner.given) return undefined
    // Wrong bytes are in the sink; none of it can be trusted. Where only the headers disagree, nothing was taken.
    if (error.code === 'ERR_DIGEST_MISMATCH' && error.retry !== 'never') return this.#fail(error)
    if (error.code === 'ERR_RANGE_IGNORED') {
      // Some caches refuse If-Range; asked once more without it, the answer's own validators decide.
      if (this.#useIfRange && runner.sentIfRange) {
        this.#useIfRange = false
        return undefined
      }
      if (this.#mirrors.size === 1) this.#ranges = false
      if (!this.#ranges && this.#runners.size > 1) return undefined
    }
    if (error.scope === 'volume' || error.code === 'ERR_CANCELLED') return this.#fail(error)
    // The very origin whose bytes are here has another version now; another mirror may only be out of step.
    const changed = error.code === 'ERR_ENTITY_CHANGED' && (runner.isKnown || this.#mirrors.size === 1)
    if (changed) return this.#fail(error)
    if (this.#mirrors.failed(runner.place, error, this.#options.clock.now())) {
      this.#options.callbacks.notice(this.#options.order, leftOut(runner.place, error))
      return undefined
    }
    if (this.#runners.size === 1 && this.#readyPlaces().length === 0) return this.#fail(error)
    this.#lastError = error
    return undefined
  }

  #fail(error: TrawlError): void {
    if (this.#failure) return
    this.#failure = error
    this.#abort.abort(new TrawlError('ERR_CANCELLED', 'another connection of this file failed'))
  }

  #endIfDone(): void {
    if (!this.#finish || this.#failure || !this.#table.isDone || this.#runners.size > 0) return
    const { resolve } = this.#finish
    this.#finish = undefined
    resolve()
  }

  /** Nothing runs and nothing could be started: the attempt is over, the run decides when to go on. */
  #endIfStuck(): void {
    if (!this.#finish || this.#runners.size > 0) return
    const error = this.#failure ?? this.#lastError
    // Without an error only a lease is missing; the next capacity brings it.
    if (!error || (!this.#failure && this.#readyPlaces().length > 0)) return
    const { reject } = this.#finish
    this.#finish = undefined
    reject(error)
  }

  #wholeCrc(): number {
    let sum = 0
    for (const { start, end, crc32: part } of this.#table.segments) sum = combineCrc32(sum, part, end - start)
    return sum
  }

  #wait(delayMs: number, host: string): Promise<void> {
    const { clock, callbacks, order } = this.#options
    return waitForRate(clock, delayMs, () => (this.#failure ? 0 : callbacks.received(order, host, 0)))
  }
}
