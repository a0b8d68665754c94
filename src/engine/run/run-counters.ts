import type { Clock, HostProgress, JobStats, Outcome, Progress } from '../../core/index.ts'
import { SpeedMeter } from './speed-meter.ts'

/** The sums of a run, kept as plain counters: nothing is allocated for each file. */
export class RunCounters {
  planned = 0
  plannedIsFinal = false
  ok = 0
  skipped = 0
  failed = 0
  unfinished = 0
  retries = 0
  active = 0
  waiting = 0
  fetchedBytes = 0
  /** Sizes of finished files. */
  finishedBytes = 0
  /** Bytes of active files. */
  activeBytes = 0
  knownBytes = 0
  reuseChecks = 0
  reuseHits = 0
  savedBytes = 0
  readonly failures = new Map<string, number>()
  readonly #clock: Clock
  readonly #startedMs: number
  readonly #speed: SpeedMeter
  #endedMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedMs = clock.now()
    this.#speed = new SpeedMeter(this.#startedMs)
  }

  get elapsedMs(): number {
    return (this.#endedMs ?? this.#clock.now()) - this.#startedMs
  }

  received(count: number): void {
    this.fetchedBytes += count
    this.#speed.add(count, this.#clock.now())
  }

  finished(outcome: Outcome): void {
    if (outcome.status === 'ok') this.ok++
    else if (outcome.status === 'skipped') this.skipped++
    else if (outcome.status === 'failed') this.failed++
    else this.unfinished++
    if (outcome.status !== 'failed') this.finishedBytes += outcome.sizeBytes
    if (outcome.error && outcome.status === 'failed') {
      this.failures.set(outcome.error.code, (this.failures.get(outcome.error.code) ?? 0) + 1)
    }
  }

  /** A file was recognised instead of fetched. */
  reused(savedBytes: number): void {
    this.reuseHits++
    this.savedBytes += savedBytes
  }

  end(): void {
    this.#endedMs = this.#clock.now()
  }

  progress(hosts: readonly HostProgress[]): Progress {
    const speedBps = this.#speed.bytesPerSecond(this.#clock.now())
    const etaMs = this.#eta(speedBps)
    return {
      planned: this.planned,
      plannedIsFinal: this.plannedIsFinal,
      ok: this.ok,
      skipped: this.skipped,
      failed: this.failed,
      active: this.active,
      waiting: this.waiting,
      doneBytes: this.finishedBytes + this.activeBytes,
      fetchedBytes: this.fetchedBytes,
      knownBytes: Math.max(this.knownBytes, this.finishedBytes + this.activeBytes),
      speedBps,
      elapsedMs: this.elapsedMs,
      hosts,
      ...(etaMs === undefined ? {} : { etaMs }),
      ...this.#reuse(),
    }
  }

  stats(): JobStats {
    const durationMs = this.elapsedMs
    return {
      planned: this.planned,
      ok: this.ok,
      skipped: this.skipped,
      failed: this.failed,
      unfinished: this.planned - this.ok - this.skipped - this.failed,
      sizeBytes: this.finishedBytes,
      fetchedBytes: this.fetchedBytes,
      durationMs,
      meanSpeedBps: durationMs > 0 ? (this.fetchedBytes * 1000) / durationMs : 0,
      retries: this.retries,
      failures: Object.fromEntries(this.failures),
      ...this.#reuse(),
    }
  }

  #reuse(): Pick<JobStats, 'reuse'> {
    if (this.reuseChecks === 0) return {}
    return { reuse: { checks: this.reuseChecks, hits: this.reuseHits, savedBytes: this.savedBytes } }
  }

  /** By bytes where all lengths are known, else by the number of files. */
  #eta(speedBps: number): number | undefined {
    if (!this.plannedIsFinal || this.elapsedMs < 1000) return undefined
    const done = this.ok + this.failed
    const left = this.planned - done - this.skipped
    if (left <= 0) return 0
    if (left <= this.active) {
      const bytesLeft = this.knownBytes - this.finishedBytes - this.activeBytes
      return speedBps > 0 && bytesLeft >= 0 ? (bytesLeft / speedBps) * 1000 : undefined
    }
    return done > 0 ? (this.elapsedMs / done) * left : undefined
  }
}
