import { join } from 'node:path'
import { formats, formatSize } from '../../core/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import type { PlanManifest } from '../plan/index.ts'
import { isRowCode, rowCodes } from '../samples/index.ts'
import { localFolder, readDatasetStatus, readShardState } from '../shards/index.ts'
import { openDatabase, queryError, quoteText, type Database } from '../tables/index.ts'
import type { HostRow, RefusalRow, ReportBin, ReportData, ThroughputPoint } from './report-data.ts'

const shownHosts = 30
const shownRefusals = 50
const timeBins = 96

export interface CollectReportOptions {
  /** Where DuckDB may spill. */
  readonly tempDir: string
  readonly memoryLimitBytes?: number
  readonly signal?: AbortSignal
}

/**
 * Counts what the metadata and logs of all finished shards say, with DuckDB. Throws ERR_CANCELLED, ERR_NO_SPACE, ERR_IO
 * and other storage errors.
 */
export async function collectReport(
  out: string,
  manifest: PlanManifest,
  options: CollectReportOptions,
): Promise<Omit<ReportData, 'samples'>> {
  const folder = localFolder(out)
  const status = await readDatasetStatus(folder, manifest)
  const names = [...(await readShardState(folder, manifest)).committed()].map((shard) =>
    shardFiles(shardName(shard, manifest)),
  )
  const base = {
    format: 'trawl-dataset-report',
    version: formats.report,
    plan: manifest.configHash,
    status,
    codes: Object.entries(status.codes).map(([code, rows]) => ({ code, meaning: meaningOf(code), rows })),
  } as const
  if (names.length === 0) return { ...base, ...emptyCounts }
  const database = await openDatabase({
    memoryLimitBytes: options.memoryLimitBytes ?? 512 * 1024 ** 2,
    tempDir: options.tempDir,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  try {
    const metadata = tables(
      out,
      names.map((name) => name.parquet),
    )
    const log = tables(
      out,
      names.map((name) => name.log),
    )
    return {
      ...base,
      ...(await hostCounts(database, log)),
      ...(await refusalCounts(database, metadata, log)),
      ...(await imageCounts(database, metadata)),
      throughput: await throughputOf(database, log),
    }
  } catch (error) {
    throw queryError(error, 'report')
  } finally {
    database.close()
  }
}

const emptyCounts = {
  hosts: [],
  hostCount: 0,
  refusals: [],
  refusalCount: 0,
  formats: [],
  sizes: [],
  ratios: [],
  fileSizes: [],
  throughput: { spanMs: 0, points: [] },
}

function meaningOf(code: string): string {
  return code === 'success' ? 'The image is there.' : isRowCode(code) ? rowCodes[code].meaning : ''
}

function tables(out: string, names: readonly string[]): string {
  const paths = names.map((name) => quoteText(join(out, name)))
  return `read_parquet([${paths.join(', ')}], union_by_name = true, hive_partitioning = false)`
}

async function hostCounts(database: Database, log: string): Promise<{ hosts: HostRow[]; hostCount: number }> {
  const rows = await database.rows(`WITH counts AS
      (SELECT host, status, error_code, count(*) AS n FROM ${log} GROUP BY ALL)
    SELECT coalesce(host, '') AS host, sum(n)::DOUBLE AS n,
      coalesce(sum(n) FILTER (status = 'success'), 0)::DOUBLE AS successes,
      first(error_code ORDER BY n DESC, error_code) FILTER (error_code IS NOT NULL) AS failure
    FROM counts GROUP BY ALL ORDER BY n DESC, host LIMIT ${shownHosts}`)
  const [total] = await database.rows(`SELECT count(DISTINCT host) AS n FROM ${log}`)
  return {
    hosts: rows.map((row) => ({
      host: String(row['host']),
      rows: Number(row['n']),
      successes: Number(row['successes']),
      topFailure: typeof row['failure'] === 'string' ? row['failure'] : null,
    })),
    hostCount: Number(total?.['n'] ?? 0),
  }
}

async function refusalCounts(
  database: Database,
  metadata: string,
  log: string,
): Promise<{ refusals: RefusalRow[]; refusalCount: number }> {
  const refused = `(SELECT key, error_code, error_message FROM ${metadata}
    WHERE error_code IN ('robots', 'opt_out')) JOIN (SELECT key, host FROM ${log}) USING (key)`
  const rows = await database.rows(`SELECT coalesce(host, '') AS host, count(*) AS n,
      error_message[length(error_code) + 3:] AS reason
    FROM ${refused} GROUP BY ALL ORDER BY n DESC, host, reason LIMIT ${shownRefusals}`)
  const [total] = await database.rows(`SELECT count(*) AS n FROM ${refused}`)
  return {
    refusals: rows.map((row) => ({
      host: String(row['host']),
      reason: String(row['reason']),
      rows: Number(row['n']),
    })),
    refusalCount: Number(total?.['n'] ?? 0),
  }
}

const ratioBins: readonly (readonly [upTo: number, label: string])[] = [
  [1 / 3, 'under 1:3'],
  [1 / 2, '1:3 to 1:2'],
  [2 / 3, '1:2 to 2:3'],
  [1, '2:3 to 1:1'],
  [3 / 2, '1:1 to 3:2'],
  [2, '3:2 to 2:1'],
  [3, '2:1 to 3:1'],
  [Infinity, '3:1 and more'],
]

async function imageCounts(
  database: Database,
  metadata: string,
): Promise<{ formats: ReportBin[]; sizes: ReportBin[]; ratios: ReportBin[]; fileSizes: ReportBin[] }> {
  const good = `${metadata} WHERE status = 'success'`
  const byFormat = await database.rows(
    `SELECT coalesce(original_format, '') AS label, count(*) AS n FROM ${good} GROUP BY ALL ORDER BY n DESC, label`,
  )
  const side = 'least(original_width, original_height)'
  const ratio = ratioBins.map(([upTo], bin) => `WHEN r < ${upTo === Infinity ? "'inf'" : upTo} THEN ${bin}`)
  const byRatio =
    await database.rows(`SELECT CASE ${ratio.join(' ')} ELSE ${ratioBins.length - 1} END AS bin, count(*) AS n
    FROM (SELECT original_width::DOUBLE / original_height AS r FROM ${good} AND original_height > 0) GROUP BY ALL`)
  const counts = new Map(byRatio.map((row) => [Number(row['bin']), Number(row['n'])]))
  return {
    formats: byFormat.map((row) => ({ label: String(row['label']) || 'unknown', count: Number(row['n']) })),
    sizes: doublings(await powers(database, side, good), (from, to) => `${from} to ${to - 1} px`),
    ratios: ratioBins.map(([, label], bin) => ({ label, count: counts.get(bin) ?? 0 })),
    fileSizes: doublings(
      await powers(database, 'original_bytes', good),
      (from, to) => `${formatSize(from)} to ${formatSize(to)}`,
    ),
  }
}

/** How many values lie from 2^n up to 2^(n+1), by n. */
async function powers(database: Database, expression: string, from: string): Promise<Map<number, number>> {
  const rows = await database.rows(`SELECT CAST(floor(log2(${expression})) AS INTEGER) AS power, count(*) AS n
    FROM ${from} AND ${expression} > 0 GROUP BY ALL`)
  return new Map(rows.map((row) => [Number(row['power']), Number(row['n'])]))
}

/** All bins between the first and the last, the empty ones too. */
function doublings(counts: Map<number, number>, label: (from: number, to: number) => string): ReportBin[] {
  if (counts.size === 0) return []
  const first = Math.min(...counts.keys())
  const last = Math.max(...counts.keys())
  return Array.from({ length: last - first + 1 }, (_, i) => ({
    label: label(2 ** (first + i), 2 ** (first + i + 1)),
    count: counts.get(first + i) ?? 0,
  }))
}

async function throughputOf(
  database: Database,
  log: string,
): Promise<{ spanMs: number; points: ThroughputPoint[] }> {
  const ended = 'epoch_ms(started_at) + duration_ms'
  const [range] = await database.rows(`SELECT min(${ended}) AS first, max(${ended}) AS last FROM ${log}`)
  const first = Number(range?.['first'] ?? 0)
  const last = Number(range?.['last'] ?? 0)
  const spanMs = Math.max(1000, Math.ceil((last - first + 1) / timeBins / 1000) * 1000)
  const rows = await database.rows(`SELECT CAST(floor((${ended} - ${first}) / ${spanMs}) AS INTEGER) AS bin,
      count(*) AS n, sum(fetched_bytes)::DOUBLE AS bytes FROM ${log} GROUP BY ALL`)
  const byBin = new Map(rows.map((row) => [Number(row['bin']), row]))
  const bins = Math.floor((last - first) / spanMs) + 1
  const points = Array.from({ length: bins }, (_, bin) => ({
    atMs: Math.round(first + bin * spanMs),
    rows: Number(byBin.get(bin)?.['n'] ?? 0),
    fetchedBytes: Number(byBin.get(bin)?.['bytes'] ?? 0),
  }))
  return { spanMs, points }
}
