import { toTrawlError, TrawlError, type Digest, type Extent, type Place } from '../../core/index.ts'
import type { TransportResponse } from '../../http/index.ts'
import { reportOf, type Lease, type LeaseReport } from '../governor/index.ts'
import type { KeptBytes } from '../transfer/transfer.ts'
import { waitForRate } from '../transfer/wait-for-rate.ts'
import { leftOut, MirrorSet } from '../mirrors/index.ts'
import { afterFailure } from './after-failure.ts'
import { chooseHedge } from './choose-hedge.ts'
import { chooseRestart } from './choose-restart.ts'
import { chooseSplit } from './choose-split.ts'
import { ConnectionOpener } from './connection-opener.ts'
import { mebibyte, usualRateOf, type PlanView } from './plan-view.ts'
import { areWeak } from './range-answer.ts'
import { withoutTag } from './range-request.ts'
import type { Beginning, SegmentedTransferOptions } from './segmented-transfer-options.ts'
import { SegmentConnection } from './segment-connection.ts'
import { SegmentTable, type Segment } from './segment-table.ts'
import { SegmentWriter } from './segment-writer.ts'
import { SpeedFloor } from './speed-floor.ts'

const lookEveryMs = 200
/** While rates of new connections are not known yet. */
const firstLooksMs = 50
const mostConnections = 256
/** After so many changes of one file it is taken as one stream, which cannot be made of two versions. */
const mostChanges = 2
const weakPieceBytes = 4 * mebibyte
const ok: LeaseReport = { result: 'ok' }
const cancelled: LeaseReport = { result: 'cancelled' }

/** What a new connection is for. */
type Work =
  | { readonly kind: 'free' }
  | { readonly kind: 'split'; readonly victim: Segment; readonly at: number }
  | { readonly kind: 'hedge'; readonly segment: Segment }

/**
 * One file over one or more connections at once: starts with the body that is already coming and adds connections
 * while leases are to be had and the plan says that it pays. Carries out what `chooseSplit`, `chooseHedge` and
 * `chooseRestart` decide. Ends when every byte is in the sink.
 */
export class SegmentedTransfer {
  readonly #options: SegmentedTransferOptions
  readonly #table: SegmentTable
  readonly #writer: SegmentWriter
  readonly #opener: ConnectionOpener
  readonly #mirrors: MirrorSet
  readonly #connections = new Set<SegmentConnection>()
  readonly #stopListening: () => void
  readonly #startedMs: number
  readonly #floor: SpeedFloor | undefined
  #ranges: boolean
  #usualBps = 0
  #hedgedBytes = 0
  /** Our own rate limit held bytes back until then. */
  #limitedUntilMs = 0
  /** The plan has work for one more connection, as far as known. */
  #wantsMore = false
  #stopTimer: (() => void) | undefined
  #finish: { readonly resolve: () => void; readonly reject: (error: TrawlError) => void } | undefined
  #failure: TrawlError | undefined
  #lastError: TrawlError | undefined

  constructor(options: SegmentedTransferOptions) {
    const { order, clock, quirks, validators, callbacks, signal } = options
    this.#options = options
    this.#startedMs = clock.now()
    this.#table = new SegmentTable(options.lengthBytes)
    this.#writer = new SegmentWriter({
      table: this.#table,
      sink: options.sink,
      generation: options.generation,
      unsaved: options.unsaved,
      onCheckpoint: (extents) => {
        if (this.#finish) callbacks.checkpoint(order, this.#keptOf(extents))
      },
    })
    const isCautious = quirks.changesOf(order.task.id) >= mostChanges
    const isMirrored = order.mirrored && !isCautious
    this.#mirrors = new MirrorSet(
      isMirrored ? order.places : order.places.slice(0, 1),
      Object.keys(validators),
    )
    this.#opener = new ConnectionOpener(options, this.#mirrors, () => this.#writer.seams)
    this.#ranges = options.rangesAllowed && !isCautious
    for (const origin of Object.keys(validators)) {
      if (quirks.hasRestlessTags(origin)) validators[origin] = withoutTag(validators[origin])
    }
    if (options.minSpeed) this.#floor = new SpeedFloor(options.minSpeed, this.#startedMs)
    const onAbort = (): void =>
      this.#fail(new TrawlError('ERR_CANCELLED', 'the transfer was cancelled', { cause: signal.reason }))
    signal.addEventListener('abort', onAbort, { once: true })
    const stopCapacity = callbacks.onCapacity(() => {
      if (this.#wantsMore) this.#grow()
    })
    this.#stopListening = () => {
      stopCapacity()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Resolves with the CRC-32 of the whole file when all of it is in the sink. It begins with an answer whose body starts
   * at byte 0, or with what is there of an earlier run; then the lease is used to ask for what is missing. The lease is
   * released here. Rejects with the error that ended the transfer; what is on disk is told by `kept`.
   */
  async run(lease: Lease, begin: Beginning): Promise<number> {
    try {
      if ('there' in begin) await this.#resume(lease, begin.there)
      await new Promise<void>((resolve, reject) => {
        this.#finish = { resolve, reject }
        this.#startWith(lease, 'response' in begin ? begin.response : undefined)
        this.#stopTimer = this.#options.clock.after(firstLooksMs, () => this.#look())
        this.#grow()
        this.#endIfDone()
        this.#endIfStuck()
      })
      await this.#writer.finish()
    } catch (thrown) {
      const error = toTrawlError(thrown)
      if (error.code === 'ERR_ENTITY_CHANGED') this.#options.quirks.noteChange(this.#options.order.task.id)
      throw error
    } finally {
      this.#stopTimer?.()
      this.#stopListening()
      this.#writer.close()
    }
    return this.#table.crc32
  }

  /** How the places did that this transfer used. */
  get mirrors(): MirrorSet {
    return this.#mirrors
  }

  /** The digest of the whole file that the servers told, all the same. */
  get announced(): Digest | undefined {
    return this.#opener.announced.digest
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
  }

  async #resume(lease: Lease, there: readonly Extent[]): Promise<void> {
    try {
      await this.#writer.resume(there, () => this.#failure !== undefined)
      // The time is no fault of the server.
      this.#floor?.excuse(this.#options.clock.now())
      if (this.#failure) throw this.#failure
    } catch (error) {
      lease.release(cancelled)
      throw error
    }
  }

  #startWith(lease: Lease, response: TransportResponse | undefined): void {
    const segment = this.#table.takeFree()
    const [place] = this.#options.order.places
    if (!segment || !place) {
      lease.release(ok)
      response?.body.cancel()
      return
    }
    const nowMs = this.#options.clock.now()
    const connection = new SegmentConnection(segment, { lease, place }, { owns: true, nowMs })
    if (response) {
      this.#mirrors.answered(place, this.#options.hostOf(response.url))
      connection.answered(response, 0, this.#options.lengthBytes, nowMs)
    }
    void this.#serve(connection)
  }

  /** Opens as many further connections as are allowed and pay. */
  #grow(): void {
    this.#wantsMore = true
    while (this.#wantsMore && this.#finish && !this.#failure) {
      if (this.#connections.size >= (this.#options.order.split ?? mostConnections)) return
      const view = this.#view()
      const work = this.#nextWork(view)
      this.#wantsMore = work !== undefined
      const granted = work && this.#lease()
      if (!work || !granted) return
      const segment = this.#assign(work)
      if (!segment) {
        granted.lease.release(cancelled)
        return
      }
      const how = { owns: work.kind !== 'hedge', nowMs: view.nowMs }
      void this.#serve(new SegmentConnection(segment, granted, how))
    }
  }

  #nextWork(view: PlanView): Work | undefined {
    if (!this.#ranges && this.#connections.size > 0) return undefined
    if (this.#table.hasFree) return { kind: 'free' }
    // Another connection would only share what our own limit leaves.
    if (view.nowMs < this.#limitedUntilMs && view.split === undefined) return undefined
    const split = chooseSplit(view)
    if (split) return { kind: 'split', ...split }
    const segment = chooseHedge(view, this.#hedgedBytes)
    return segment && { kind: 'hedge', segment }
  }

  #assign(work: Work): Segment | undefined {
    if (work.kind === 'free') return this.#table.takeFree()
    if (work.kind === 'split') return this.#table.split(work.victim, work.at)
    work.segment.hedged = true
    return work.segment
  }

  /** One more connection, to the best place whose host grants one now. */
  #lease(): { readonly lease: Lease; readonly place: Place } | undefined {
    for (const place of this.#readyPlaces()) {
      const lease = this.#options.callbacks.acquire(this.#options.hostOf(place.url))
      if (lease) return { lease, place }
    }
    return undefined
  }

  #readyPlaces(): readonly Place[] {
    const users = (place: Place): number =>
      [...this.#connections].filter((each) => each.place === place).length
    return this.#mirrors.ranked(users, this.#options.clock.now())
  }

  #view(): PlanView {
    const { order, clock, validators } = this.#options
    const weak = Object.values(validators).some(areWeak)
    return {
      segments: this.#table.segments,
      nowMs: clock.now(),
      startedMs: this.#startedMs,
      waitMs: this.#opener.waitMs,
      usualBps: this.#usualBps,
      split: order.split,
      leastPieceBytes: weak ? weakPieceBytes : mebibyte,
    }
  }

  async #serve(connection: SegmentConnection): Promise<void> {
    this.#joined(connection)
    let report = ok
    try {
      if (!connection.response) {
        await this.#opener.open(connection, { alone: this.#connections.size === 1, whole: !this.#ranges })
      }
      await this.#take(connection)
      if (connection.isGivenUp) report = cancelled
      else this.#lastError = undefined
    } catch (thrown) {
      const error = toTrawlError(thrown)
      report = connection.isGivenUp ? cancelled : reportOf(error)
      if (!connection.isGivenUp) this.#failed(connection, error)
    }
    this.#left(connection)
    connection.lease.release(report)
    this.#endIfDone()
    this.#grow()
    this.#endIfStuck()
  }

  #joined(connection: SegmentConnection): void {
    this.#connections.add(connection)
    this.#options.callbacks.connections(this.#options.order, this.#connections.size)
  }

  #left(connection: SegmentConnection): void {
    const { segment } = connection
    this.#connections.delete(connection)
    this.#options.callbacks.connections(this.#options.order, this.#connections.size)
    if (!connection.owns) {
      if (segment.hedged && !this.#twinOf(connection)) segment.hedged = false
      return
    }
    const twin = this.#twinOf(connection)
    if (!twin) this.#table.release(segment)
    else if (segment.at < segment.end) twin.takeOver()
    else {
      this.#table.release(segment)
      twin.giveUp()
    }
  }

  /** The connection that fetches the same segment as a hedge. */
  #twinOf(connection: SegmentConnection): SegmentConnection | undefined {
    if (!connection.segment.hedged) return undefined
    for (const each of this.#connections) {
      if (each !== connection && each.segment === connection.segment && !each.owns && !each.isGivenUp)
        return each
    }
    return undefined
  }

  async #take(connection: SegmentConnection): Promise<void> {
    const { response } = connection
    if (!response) return
    if (connection.isGivenUp || this.#failure) return response.body.cancel()
    const from = connection.position
    await response.body.drain((chunk) => this.#chunk(connection, chunk))
    if (connection.owns && connection.receivedBytes > 0) this.#mirrors.gave(connection.place)
    const { segment, position, bodyEnd, partDigest } = connection
    if (!connection.isGivenUp && !this.#failure) partDigest?.check()
    if (segment.at >= segment.end || connection.isGivenUp || this.#failure) return
    if (!connection.owns || (position >= bodyEnd && position > from)) return
    throw new TrawlError(
      'ERR_LENGTH_MISMATCH',
      `the connection ended ${Math.min(segment.end, bodyEnd) - position} bytes early`,
    )
  }

  /** Takes what came over a connection; false when no more of it is wanted. */
  #chunk(connection: SegmentConnection, chunk: Buffer): void | false | Promise<void | false> {
    if (this.#failure || connection.isGivenUp) return false
    const { order, callbacks } = this.#options
    const offset = connection.position
    const surplus = offset + chunk.length - connection.bodyEnd
    connection.position = offset + chunk.length
    connection.receivedBytes += chunk.length
    connection.lease.bytes(chunk.length)
    connection.partDigest?.update(chunk)
    this.#floor?.received(chunk.length)
    const wait = this.#waitOf(callbacks.received(order, connection.lease.host, chunk.length), connection)
    if (!connection.owns && !this.#overtakes(connection)) {
      this.#hedgedBytes += chunk.length
      return wait?.()
    }
    const part = surplus > 0 ? chunk.subarray(0, -surplus) : chunk
    const written = this.#writer.write(connection, offset, part)
    // A body that ends here by itself leaves its connection for the next request.
    const goesOn = connection.endsHere || (surplus < 0 && !this.#writer.isOver(connection))
    if (goesOn && wait) return written === undefined ? wait() : written.then(wait)
    if (goesOn) return written
    return written === undefined ? false : written.then(() => false)
  }

  /** A hedge that has come further than the first connection takes its place. */
  #overtakes(connection: SegmentConnection): boolean {
    const { segment } = connection
    if (connection.position <= segment.at) return false
    for (const each of this.#connections) {
      if (each === connection || each.segment !== segment || !each.owns) continue
      each.owns = false
      each.giveUp()
    }
    connection.takeOver()
    return true
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

  /** A look several times a second: rates, more connections, slow ones. */
  #look(): void {
    if (!this.#finish) return
    const nowMs = this.#options.clock.now()
    let unmeasured = false
    for (const connection of this.#connections) {
      connection.measure(nowMs)
      unmeasured ||= connection.isUnmeasured
      if (connection.owns && connection.receivedBytes > 0) {
        this.#mirrors.gave(connection.place, connection.rateBps)
      }
    }
    this.#usualBps = usualRateOf(this.#table.segments) || this.#usualBps
    this.#watchSpeed(nowMs)
    this.#shrink()
    this.#grow()
    const slow = chooseRestart(this.#view())
    if (slow) this.#restart(slow)
    this.#endIfStuck()
    const delayMs = unmeasured ? firstLooksMs : lookEveryMs
    this.#stopTimer = this.#options.clock.after(delayMs, () => this.#look())
  }

  #watchSpeed(nowMs: number): void {
    const floor = this.#floor
    if (!floor) return
    // Waiting for a lease or for our own limit is no fault of the server.
    if (this.#connections.size === 0 || nowMs < this.#limitedUntilMs) floor.excuse(nowMs)
    else if (floor.isTooSlow(nowMs)) {
      this.#fail(new TrawlError('ERR_NET_STALLED', 'bytes came more slowly than --min-speed allows'))
    }
  }

  /** Fewer connections are wanted than there are: those with the least left go on, the others give theirs up. */
  #shrink(): void {
    const most = this.#options.order.split
    if (most === undefined || this.#connections.size <= most) return
    const left = ({ segment }: SegmentConnection): number => segment.end - segment.at
    const kept = [...this.#connections].filter(({ isGivenUp }) => !isGivenUp)
    for (const each of kept.toSorted((a, b) => left(a) - left(b)).slice(most)) each.giveUp()
  }

  #restart(segment: Segment): void {
    segment.restarts++
    for (const each of this.#connections) if (each.segment === segment && each.owns) each.giveUp()
  }

  #failed(connection: SegmentConnection, error: TrawlError): void {
    if (this.#failure) return
    const { place, isKnown, isWhole } = connection
    const { clock, callbacks, order } = this.#options
    const next = afterFailure(error, {
      places: this.#mirrors.size,
      isKnown,
      isWhole,
    })
    if (next === 'fail') return this.#fail(error)
    if (next === 'whole') {
      this.#ranges = false
      return
    }
    if (this.#mirrors.failed(place, error, clock.now())) callbacks.notice(order, leftOut(place, error))
    else if (this.#connections.size === 1 && this.#readyPlaces().length === 0) this.#fail(error)
    else this.#lastError = error
  }

  #fail(error: TrawlError): void {
    if (this.#failure) return
    this.#failure = error
    for (const each of this.#connections) each.giveUp()
    this.#endIfStuck()
  }

  #endIfDone(): void {
    if (!this.#finish || this.#failure || !this.#table.isDone || this.#connections.size > 0) return
    const { resolve } = this.#finish
    this.#finish = undefined
    resolve()
  }

  /** Nothing runs and nothing could be started: the attempt is over, the run decides when to go on. */
  #endIfStuck(): void {
    if (!this.#finish || this.#connections.size > 0) return
    const error = this.#failure ?? this.#lastError
    // Without an error only a lease is missing; the next capacity brings it.
    if (!error || (!this.#failure && this.#readyPlaces().length > 0)) return
    const { reject } = this.#finish
    this.#finish = undefined
    reject(error)
  }

  /** How to wait for a rate limit, where one asks for it. */
  #waitOf(pause: number | Promise<void>, { lease }: SegmentConnection): (() => Promise<void>) | undefined {
    if (typeof pause !== 'number') return () => pause
    return pause > 0 ? () => this.#hold(pause, lease.host) : undefined
  }

  #hold(delayMs: number, host: string): Promise<void> {
    const { clock, callbacks, order } = this.#options
    this.#limitedUntilMs = Math.max(this.#limitedUntilMs, clock.now() + delayMs + lookEveryMs)
    return waitForRate(clock, delayMs, () => {
      const leftMs = this.#failure ? 0 : callbacks.received(order, host, 0)
      return typeof leftMs === 'number' ? leftMs : 0
    })
  }
}
