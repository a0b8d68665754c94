import { noProgress, noStats, type JobStats, type Progress } from '../../core/index.ts'
import type { Run } from '../../engine/index.ts'
import type { PlanManifest } from '../plan/index.ts'
import type { OtherWorkers } from './other-workers.ts'
import type { SampleWork } from './sample-work.ts'

/** Counts rows over all that works on a dataset: this run, what was done before it, and other processes. */
export class DatasetCount {
  readonly #isWhole: boolean
  readonly #startedMs = performance.now()
  manifest: PlanManifest | undefined
  run: Run | undefined
  samples: SampleWork | undefined
  others: OtherWorkers | undefined
  /** Rows of shards that were done when the job began. */
  doneBefore = 0

  /** With `isWhole` all rows of the plan count, else those that this job takes. */
  constructor(isWhole: boolean) {
    this.#isWhole = isWhole
  }

  progress(): Progress {
    const run = this.run?.progress() ?? noProgress
    const sums = this.#sums(run)
    const { planned, ok, failed, skipped } = sums
    const plannedIsFinal = this.manifest !== undefined && (this.#isWhole || run.plannedIsFinal)
    const left = planned - ok - failed - skipped
    const { etaMs: _, ...rest } = run
    return {
      ...rest,
      ...sums,
      plannedIsFinal,
      fetchedBytes: run.fetchedBytes + (this.others?.fetchedBytes ?? 0),
      elapsedMs: performance.now() - this.#startedMs,
      ...(plannedIsFinal && ok + failed > 0 ? { etaMs: (run.elapsedMs / (ok + failed)) * left } : {}),
    }
  }

  stats(): JobStats {
    const stats = this.run?.stats() ?? noStats
    const sums = this.#sums(stats)
    const durationMs = performance.now() - this.#startedMs
    const fetchedBytes = stats.fetchedBytes + (this.others?.fetchedBytes ?? 0)
    return {
      ...stats,
      ...sums,
      unfinished: sums.planned - sums.ok - sums.failed - sums.skipped,
      failures: this.#failures(stats.failures),
      durationMs,
      fetchedBytes,
      meanSpeedBps: durationMs > 0 ? (fetchedBytes * 1000) / durationMs : 0,
    }
  }

  #failures(own: JobStats['failures']): JobStats['failures'] {
    const all: Record<string, number> = { ...own }
    for (const [code, count] of Object.entries(this.others?.failures ?? {}))
      all[code] = (all[code] ?? 0) + count
    return all
  }

  #sums(run: {
    readonly planned: number
    readonly ok: number
    readonly failed: number
    readonly skipped: number
  }): { planned: number; ok: number; failed: number; skipped: number } {
    const resumed = this.samples?.resumed ?? 0
    return {
      planned: this.#isWhole ? (this.manifest?.rowCount ?? 0) : run.planned + resumed,
      ok: run.ok + (this.others?.ok ?? 0),
      failed: run.failed + (this.others?.failed ?? 0),
      skipped: run.skipped + resumed + (this.#isWhole ? this.doneBefore : 0),
    }
  }
}
