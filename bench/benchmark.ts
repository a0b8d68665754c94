import type { ContenderRuns } from './compare.ts'
import type { TrawlPeer } from './peers/trawl.ts'

/** What every benchmark gets. */
export interface BenchSetting {
  /** An empty folder in memory, removed afterwards. */
  readonly folder: string
  /** The built program, and older builds to compare it with. The first is the one that is judged. */
  readonly trawls: readonly [TrawlPeer, ...TrawlPeer[]]
  /** Undefined: as many as the benchmark finds right. */
  readonly rounds: number | undefined
  /** 1 is the size the targets are stated for. */
  readonly scale: number
  /** Runs only peers whose name begins with one of these; undefined runs all. */
  readonly peers: readonly string[] | undefined
  readonly env: Readonly<Record<string, string>>
  readonly say: (line: string) => void
}

/** A number that a benchmark must reach. */
export interface Target {
  readonly what: string
  readonly value: number | undefined
  /** The limit: the value must be at most or at least this. */
  readonly limit: number
  readonly sense: 'at most' | 'at least'
}

/** What a benchmark found. */
export interface BenchReport {
  /** Work of one run; gives files or bytes a second. */
  readonly work: { readonly files: number; readonly bytes: number }
  readonly contenders: readonly ContenderRuns[]
  readonly targets: readonly Target[]
  /** Facts beside the table, such as an origin's counters. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** A benchmark that can be run by name. */
export interface Benchmark {
  readonly title: string
  run(setting: BenchSetting): Promise<BenchReport>
}
