import type { ContenderRuns, Run } from './compare.ts'

/** Which number of a run is compared. */
export type Metric = 'wallMs' | 'cpuMs' | 'peakRssBytes'

/** The middle value; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  const lower = sorted[middle - 1]
  if (upper === undefined) return undefined
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2
}

/** Median over the right runs of a contender; undefined when it has none. */
export function medianOf(contender: ContenderRuns, metric: Metric): number | undefined {
  return median(rightRuns(contender).map((run) => run[metric]))
}

/**
 * How many times as much `ours` took as `peer`: the median of the ratios of each round, since both ran under about the
 * same load there. Undefined when they have no round in common.
 */
export function ratio(
  ours: ContenderRuns | undefined,
  peer: ContenderRuns | undefined,
  metric: Metric,
): number | undefined {
  if (ours === undefined || peer === undefined) return undefined
  const theirs = new Map(rightRuns(peer).map((run) => [run.round, run[metric]]))
  const ratios: number[] = []
  for (const run of rightRuns(ours)) {
    const other = theirs.get(run.round)
    if (other !== undefined && other > 0) ratios.push(run[metric] / other)
  }
  return median(ratios)
}

/** The contender whose name begins so. */
export function named(contenders: readonly ContenderRuns[], prefix: string): ContenderRuns | undefined {
  return contenders.find((contender) => contender.name.startsWith(prefix))
}

function rightRuns(contender: ContenderRuns): readonly Run[] {
  return contender.runs.filter((run) => run.fault === undefined)
}
