import { toTrawlError, TrawlError, type Clock, type Extent, type Place } from '../../core/index.ts'
import type { Transport, TransportResponse } from '../../http/index.ts'
import type { Sink } from '../../storage/index.ts'
import { reportOf, type Lease, type LeaseReport } from '../governor/index.ts'
import { hostOf } from '../run/host-of.ts'
import type { HostQuirks } from '../segments/host-quirks.ts'
import type { Beginning } from '../segments/segmented-transfer-options.ts'
import { SegmentedTransfer } from '../segments/segmented-transfer.ts'
import type { UnsavedBytes } from '../segments/unsaved-bytes.ts'
import {
  checkAnnounced,
  checkPieceCount,
  PieceCheck,
  verifyFile,
  wantedAlgorithms,
  withoutExtents,
  WrongPiecesError,
} from '../verify/index.ts'
import type { MinSpeed } from '../segments/speed-floor.ts'
import { checkExpectedLength, isConditional, refusePart } from './answer-checks.ts'
import { entityFactsOf } from './entity-facts.ts'
import { judgeResponse } from './judge-response.ts'
import { digestsOf } from './staged-digests.ts'
import type {
  EntityFacts,
  EntityVerdict,
  KeptBytes,
  PatientCallbacks,
  StagedTransfer,
  StoppableTransfer,
  TransferOrder,
  TransferResult,
} from './transfer.ts'
import { waitForRate } from './wait-for-rate.ts'
import { withoutCoding } from './without-coding.ts'
import { drainWatched } from './watched-body.ts'
import { checkLength, fileFactsOf, WholeBody } from './whole-body.ts'

/** What the attempts of one executor share. */
export interface AttemptOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** A transfer from the host that is slower is opened anew; undefined where any speed will do. */
  readonly minSpeedOf?: (host: string) => MinSpeed | undefined
  readonly signal: AbortSignal
  readonly quirks: HostQuirks
  readonly unsaved: UnsavedBytes
}

/** Files at least this long may be split, and are gone on with where they stopped. */
const segmentedBytes = 1024 * 1024

/** After these, nothing that is on disk may be used. */
const startsAnew: ReadonlySet<string> = new Set([
  'ERR_ENTITY_CHANGED',
  'ERR_RANGE_IGNORED',
  'ERR_RANGE_INVALID',
  'ERR_DIGEST_MISMATCH',
])

const noHeaders: Readonly<Record<string, string>> = {}
const wentWell: LeaseReport = { result: 'ok' }
const brokenOff: LeaseReport = { result: 'cancelled' }

/**
 * One attempt at one file, as callbacks and not as an async function: this is on the path of every small file, and
 * each async frame costs about a microsecond and a kilobyte.
 */
export class Attempt implements StoppableTransfer {
  readonly #options: AttemptOptions
  readonly #order: TransferOrder
  readonly #lease: Lease
  readonly #callbacks: PatientCallbacks
  readonly #resolve: (result: TransferResult) => void
  #fetchedBytes = 0
  #response: TransportResponse | undefined
  #sink: Sink | undefined
  #transfer: SegmentedTransfer | undefined
  #generation = 1
  /** What the sink has of an earlier attempt. */
  #there: readonly Extent[] = []
  #leaseHandedOver = false
  /** It was broken off, and has ended or will when the body does. */
  #stopped: TrawlError | undefined

  constructor(
    options: AttemptOptions,
    order: TransferOrder,
    lease: Lease,
    callbacks: PatientCallbacks,
    resolve: (result: TransferResult) => void,
  ) {
    this.#options = options
    this.#order = order
    this.#lease = lease
    this.#callbacks = callbacks
    this.#resolve = resolve
    order.transfer = this
  }

  start(): void {
    const order = this.#order
    const { kept } = order
    if (kept?.lengthBytes !== undefined && kept.extents.length > 0) {
      this.#settle(this.#resume(kept, kept.lengthBytes))
      return
    }
    const [place] = order.places
    if (!place) return this.#fail(new TrawlError('ERR_INTERNAL', 'a transfer without a place'))
    this.#send(place).then(
      (response) => this.#answered(response),
      (error: unknown) => (this.#stopped ? this.#tooLate(undefined) : this.#fail(error)),
    )
  }

  stop(error: TrawlError): void {
    if (this.#transfer) return this.#transfer.stop(error)
    if (this.#stopped) return
    this.#stopped = error
    if (this.#response) this.#response.body.cancel()
    // The lease is kept until the request has ended, which the host still works on.
    else this.#resolve(this.#failed(error, undefined))
  }

  /** The answer to a request of an attempt that has been stopped. */
  #tooLate(response: TransportResponse | undefined): void {
    response?.body.cancel()
    this.#lease.release(brokenOff)
  }

  #answered(answer: TransportResponse): void {
    if (this.#stopped) return this.#tooLate(answer)
    let response = answer
    this.#response = answer
    this.#lease.headers()
    if (response.status === 304 && isConditional(this.#order)) return this.#unmodified(response)
    try {
      const error = judgeResponse(response, this.#options.clock)
      if (error) throw error
      refusePart(response)
      response = withoutCoding(response, this.#order)
      this.#response = response
      const facts = entityFactsOf(response)
      checkAnnounced(this.#order.task.digests, facts.digest, facts.url)
      checkExpectedLength(this.#order.task.expectedSizeBytes, facts)
      if (facts.lengthBytes !== undefined) {
        checkPieceCount(this.#order.task.pieces, facts.lengthBytes, facts.url)
      }
      const verdict = this.#callbacks.entity(this.#order, facts)
      if ('then' in verdict) this.#beginLater(verdict, facts, response)
      else this.#begin(verdict, facts, response)
    } catch (error) {
      response.body.cancel()
      this.#fail(error)
    }
  }

  #beginLater(verdict: Promise<EntityVerdict>, facts: EntityFacts, response: TransportResponse): void {
    verdict
      .then((each) => this.#begin(each, facts, response))
      .catch((error: unknown) => {
        response.body.cancel()
        this.#fail(error)
      })
  }

  #begin(verdict: EntityVerdict, facts: EntityFacts, response: TransportResponse): void {
    if (this.#stopped) return this.#fail(this.#stopped)
    const sink = this.#open(verdict, facts, undefined)
    if (!sink) {
      response.body.cancel()
    } else if (
      facts.lengthBytes !== undefined &&
      facts.lengthBytes >= segmentedBytes &&
      sink.properties.randomAccess
    ) {
      const transfer = this.#segmented(facts, facts.lengthBytes, sink)
      this.#settle(this.#runSegmented(transfer, facts, facts.lengthBytes, { response }))
    } else {
      this.#takeWhole(response, facts, sink)
    }
  }

  /** The version that was asked about is the one that the server has. */
  #unmodified(response: TransportResponse): void {
    // To its end, though it has no body: then the connection serves the next.
    response.body
      .drain(() => {})
      .then(
        () => this.#end({ result: 'skipped', reason: 'not-modified', fetchedBytes: 0 }),
        (error: unknown) => this.#fail(error),
      )
  }

  /** The file's sink, opened; undefined when no bytes are wanted and the attempt has ended. */
  #open(verdict: EntityVerdict, facts: EntityFacts, kept: KeptBytes | undefined): Sink | undefined {
    if (verdict.verdict === 'skip') {
      const { reason, path } = verdict
      this.#end({ result: 'skipped', reason, fetchedBytes: 0, ...(path === undefined ? {} : { path }) })
      return undefined
    }
    this.#generation = kept?.generation ?? 1
    this.#there = verdict.sink.open(kept?.extents ?? [], this.#generation, facts.lengthBytes)
    this.#sink = verdict.sink
    return verdict.sink
  }

  /** Goes on from what an earlier attempt or run left on disk. */
  async #resume(kept: KeptBytes, lengthBytes: number): Promise<StagedTransfer | undefined> {
    const place = this.#order.places[0]
    if (!place) throw new TrawlError('ERR_INTERNAL', 'a transfer without a place')
    const facts: EntityFacts = {
      url: place.url,
      httpStatus: 206,
      lengthBytes,
      validators: kept.validators[hostOf(place.url)] ?? Object.values(kept.validators)[0] ?? {},
      ...(kept.contentType === undefined ? {} : { contentType: kept.contentType }),
    }
    const verdict = await this.#callbacks.entity(this.#order, facts)
    if (this.#stopped) throw this.#stopped
    const sink = this.#open(verdict, facts, kept)
    if (!sink) return undefined
    const transfer = this.#segmented(facts, lengthBytes, sink, kept)
    // Not all that was noted need still be there.
    return this.#runSegmented(transfer, facts, lengthBytes, { there: this.#there })
  }

  #segmented(facts: EntityFacts, lengthBytes: number, sink: Sink, kept?: KeptBytes): SegmentedTransfer {
    const { transport, clock, signal, quirks, unsaved, minSpeedOf } = this.#options
    const minSpeed = minSpeedOf?.(this.#lease.host)
    this.#transfer = new SegmentedTransfer({
      order: this.#order,
      callbacks: this.#segmentCallbacks(),
      transport,
      clock,
      signal,
      sink,
      generation: this.#generation,
      lengthBytes,
      contentType: facts.contentType,
      digest: facts.digest,
      // By the origin that answered, which redirects may have led to.
      validators: kept ? { ...kept.validators } : { [hostOf(facts.url)]: facts.validators },
      rangesAllowed: facts.acceptsRanges !== false,
      quirks,
      unsaved,
      ...(minSpeed === undefined ? {} : { minSpeed }),
      hostOf,
    })
    return this.#transfer
  }

  /** The run's, by which this attempt counts what it fetched. The leases of connections count for themselves. */
  #segmentCallbacks(): Omit<PatientCallbacks, 'entity'> {
    const callbacks = this.#callbacks
    return {
      acquire: (host) => callbacks.acquire(host),
      onCapacity: (listen) => callbacks.onCapacity(listen),
      connections: (order, count) => callbacks.connections(order, count),
      checkpoint: (order, kept) => callbacks.checkpoint(order, kept),
      notice: (order, error) => callbacks.notice(order, error),
      received: (order, host, count) => {
        this.#fetchedBytes += count
        return callbacks.received(order, host, count)
      },
    }
  }

  async #runSegmented(
    transfer: SegmentedTransfer,
    facts: EntityFacts,
    lengthBytes: number,
    begin: Beginning,
  ): Promise<StagedTransfer> {
    this.#leaseHandedOver = true
    const sum = await transfer.run(this.#lease, begin)
    const { task } = this.#order
    const sink = this.#sink
    if (!sink) throw new TrawlError('ERR_INTERNAL', 'a transfer without a sink')
    checkLength(task.expectedSizeBytes, lengthBytes, facts.url)
    const told = transfer.announced
    const wanted = wantedAlgorithms(task, told)
    const pieces = task.pieces && new PieceCheck(task.pieces, facts.url)
    const digests = wanted || pieces ? await digestsOf(sink, lengthBytes, wanted ?? [], pieces) : []
    verifyFile(task, told, digests, facts.url)
    return {
      result: 'staged',
      sink,
      generation: this.#generation,
      lengthBytes,
      crc32: sum,
      digests,
      fetchedBytes: this.#fetchedBytes,
      facts: fileFactsOf(facts, digests[0]),
    }
  }

  #settle(work: Promise<StagedTransfer | undefined>): void {
    work.then(
      (staged) => staged && this.#end(staged),
      (error: unknown) => this.#fail(error),
    )
  }

  #takeWhole(response: TransportResponse, facts: EntityFacts, sink: Sink): void {
    const generation = this.#generation
    const whole = new WholeBody({
      task: this.#order.task,
      facts,
      sink,
      generation,
      received: (count) => this.#received(count),
      wait: (delayMs) => this.#wait(delayMs),
    })
    const { clock, minSpeedOf } = this.#options
    const minSpeed = minSpeedOf?.(this.#lease.host)
    const drained =
      minSpeed === undefined
        ? response.body.drain((chunk) => whole.take(chunk))
        : drainWatched(response.body, (chunk) => whole.take(chunk), { minSpeed, clock })
    drained
      .then(
        () => (this.#stopped ? this.#fail(this.#stopped) : this.#end(whole.staged())),
        (error: unknown) => this.#fail(error),
      )
      .catch((error: unknown) => this.#fail(error))
  }

  #end(result: TransferResult): void {
    if (!this.#leaseHandedOver) this.#lease.release(wentWell)
    this.#resolve(result)
  }

  #fail(thrown: unknown): void {
    const error = toTrawlError(thrown)
    if (!this.#leaseHandedOver) this.#lease.release(reportOf(error))
    const wrong = error instanceof WrongPiecesError ? error.extents : undefined
    if (!this.#transfer || (startsAnew.has(error.code) && !wrong)) {
      this.#sink?.abort({ discard: true })
      this.#resolve(this.#failed(error, undefined))
      return
    }
    this.#transfer
      .kept()
      .catch(() => undefined)
      .then((all) => {
        const kept = wrong ? keptWithout(all, wrong) : all
        this.#sink?.abort({ discard: wrong !== undefined && kept === undefined })
        this.#record(kept)
        this.#resolve(this.#failed(error, kept))
      })
      .catch((broken: unknown) => this.#resolve(this.#failed(toTrawlError(broken), undefined)))
  }

  /** Puts on record what is kept. A volume that has no room for it keeps what was recorded before. */
  #record(kept: KeptBytes | undefined): void {
    if (!kept) return
    try {
      this.#callbacks.checkpoint(this.#order, kept)
    } catch {
      // The journal holds the record back and writes it with the next ones.
    }
  }

  #failed(error: TrawlError, kept: KeptBytes | undefined): TransferResult {
    const httpStatus = this.#response?.status
    const mirrors = this.#order.places.length > 1 ? this.#transfer?.mirrors : undefined
    return {
      result: 'failed',
      error,
      fetchedBytes: this.#fetchedBytes,
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(kept === undefined ? {} : { kept }),
      ...(mirrors ? { leftOut: mirrors.leftOut, givers: mirrors.givers } : {}),
    }
  }

  #send(place: Place): Promise<TransportResponse> {
    const { task } = this.#order
    const headers = task.headers || place.headers ? { ...task.headers, ...place.headers } : noHeaders
    return this.#options.transport.send({ method: 'GET', url: place.url, headers }, this.#options)
  }

  #received(count: number): number | Promise<void> {
    this.#fetchedBytes += count
    this.#lease.bytes(count)
    return this.#callbacks.received(this.#order, this.#lease.host, count)
  }

  #wait(delayMs: number): Promise<void> {
    return waitForRate(this.#options.clock, delayMs, () => {
      // What has arrived whole holds up no end of the run.
      const isOver = this.#stopped !== undefined || this.#options.signal.aborted
      const leftMs = isOver ? 0 : this.#received(0)
      return typeof leftMs === 'number' ? leftMs : 0
    })
  }
}

/** Undefined where nothing is left. */
function keptWithout(kept: KeptBytes | undefined, wrong: readonly Extent[]): KeptBytes | undefined {
  const extents = withoutExtents(kept?.extents ?? [], wrong)
  return kept && extents.length > 0 ? { ...kept, extents } : undefined
}
