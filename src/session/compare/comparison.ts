import type { ExecutorProperties } from '../../engine/index.ts'

export type Mode = ExecutorProperties['mode']

/** The machine that something was measured on. */
export interface Machine {
  readonly cpu: string
  readonly processors: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  readonly trawl: string
}

/** One download of the whole list in one way. */
export interface ModeRun {
  readonly mode: Mode
  /** From 1. */
  readonly round: number
  /** From the start of the job to its end, without the start of the program. */
  readonly durationMs: number
  readonly ok: number
  readonly failed: number
  readonly sizeBytes: number
}

/** Ways of downloading the same list, side by side. */
export interface Comparison {
  readonly version: number
  readonly list: string
  readonly startedAt: string
  readonly machine: Machine
  /** Threads or processes of the modes that have some. */
  readonly workers: number
  readonly runs: readonly ModeRun[]
}

/** What came of one mode: medians over its rounds. */
export interface ModeSummary {
  readonly mode: Mode
  readonly rounds: number
  readonly durationMs: number
  readonly filesPerMinute: number
  readonly bytesPerSecond: number
  /** Of the worst round. */
  readonly failed: number
  readonly ok: number
}

/** The modes of a comparison in the order of their first runs. */
export function summarise({ runs }: Pick<Comparison, 'runs'>): ModeSummary[] {
  return [...new Set(runs.map((run) => run.mode))].map((mode) => {
    const own = runs.filter((run) => run.mode === mode)
    const durationMs = median(own.map((run) => run.durationMs))
    return {
      mode,
      rounds: own.length,
      durationMs,
      filesPerMinute: median(own.map((run) => rate(run.ok * 60_000, run.durationMs))),
      bytesPerSecond: median(own.map((run) => rate(run.sizeBytes * 1000, run.durationMs))),
      failed: Math.max(...own.map((run) => run.failed)),
      ok: Math.min(...own.map((run) => run.ok)),
    }
  })
}

function rate(amount: number, durationMs: number): number {
  return durationMs > 0 ? amount / durationMs : 0
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
