import type { DatasetStatus } from '../shards/index.ts'

/** One bar of a histogram. */
export interface ReportBin {
  readonly label: string
  readonly count: number
}

/** What became of the rows of one host. */
export interface HostRow {
  readonly host: string
  readonly rows: number
  readonly successes: number
  /** The most frequent failure; null without one. */
  readonly topFailure: string | null
}

/** Rows of one host that its owner refuses to datasets, by one rule. */
export interface RefusalRow {
  readonly host: string
  /** `robots.txt disallows it`, or the header and its directive. */
  readonly reason: string
  readonly rows: number
}

/** Rows and bytes that were done in one span of time. */
export interface ThroughputPoint {
  /** Begin of the span, milliseconds since 1970. */
  readonly atMs: number
  readonly rows: number
  readonly fetchedBytes: number
}

/** All that a report shows; `report.json` is this. */
export interface ReportData {
  readonly format: 'trawl-dataset-report'
  readonly version: number
  /** Hash of the plan. */
  readonly plan: string
  readonly status: DatasetStatus
  /** Row codes with their meaning, the most frequent first. */
  readonly codes: readonly { readonly code: string; readonly meaning: string; readonly rows: number }[]
  /** The hosts with the most rows. */
  readonly hosts: readonly HostRow[]
  readonly hostCount: number
  /** What robots.txt, X-Robots-Tag and TDM-Reservation refused: the most frequent. */
  readonly refusals: readonly RefusalRow[]
  /** Rows that were refused so. */
  readonly refusalCount: number
  readonly formats: readonly ReportBin[]
  /** Shorter side of the originals. */
  readonly sizes: readonly ReportBin[]
  /** Width to height of the originals. */
  readonly ratios: readonly ReportBin[]
  /** Length of the originals. */
  readonly fileSizes: readonly ReportBin[]
  readonly throughput: { readonly spanMs: number; readonly points: readonly ThroughputPoint[] }
  /** Samples on the contact sheet. */
  readonly samples: readonly { readonly key: string; readonly caption: string | null }[]
}
