/**
 * How long a plan of many rows takes, and how much memory: `node bench/dataset-plan.ts [ROWS]`, 1,000,000 without.
 * Plans a Parquet table as it is, then with filter, dedup and shuffle, then the same rows from CSV, each in a
 * process of its own; reads shards of the plan back. Prints a line of JSON for each.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openShardPlan, planDataset, type PlanOptions } from '../src/datasets/plan/index.ts'
import { openDatabase, quoteText } from '../src/datasets/tables/index.ts'

const cases: Readonly<Record<string, { readonly table: string; readonly options: Partial<PlanOptions> }>> = {
  parquet: { table: 'rows.parquet', options: {} },
  'parquet, filter, dedup, shuffle': {
    table: 'rows.parquet',
    options: { where: 'score > 0.1', dedup: 'url', shuffleSeed: 1 },
  },
  csv: { table: 'rows.csv', options: {} },
}

async function makeTables(folder: string, rows: number): Promise<void> {
  const database = await openDatabase({ memoryLimitBytes: 1e9, tempDir: join(folder, 'spill') })
  const select = `SELECT i AS id, 'https://host' || (i % 10007) || '.example.org/images/' || md5(i::VARCHAR) || '.jpg' AS url,
    'a caption of some words, number ' || i AS caption, (i * 7919 % 1000) / 1000.0 AS score FROM range(${rows}) t(i)`
  await database.rows(
    `COPY (${select}) TO ${quoteText(join(folder, 'rows.parquet'))} (FORMAT parquet, COMPRESSION zstd)`,
  )
  await database.rows(`COPY (${select}) TO ${quoteText(join(folder, 'rows.csv'))} (FORMAT csv, HEADER true)`)
  database.close()
}

async function runCase(name: string, folder: string): Promise<void> {
  const chosen = cases[name]
  if (!chosen) throw new Error(`no case ${name}`)
  const out = join(folder, 'out')
  rmSync(out, { recursive: true, force: true })
  const started = performance.now()
  const manifest = await planDataset({
    tables: [join(folder, chosen.table)],
    urlCol: 'url',
    captionCol: 'caption',
    saveColumns: ['id', 'score'],
    shardSize: 10_000,
    shardDigits: 5,
    memoryLimitBytes: 512 * 1024 ** 2,
    out,
    ...chosen.options,
  })
  const planMs = performance.now() - started
  const rssMiB = Math.round(process.resourceUsage().maxRSS / 1024)
  const shards = openShardPlan(out, manifest)
  const reads: number[] = []
  for (let shard = 0; shard < Math.min(20, manifest.shardCount); shard++) {
    const from = performance.now()
    await shards.rows(shard)
    reads.push(performance.now() - from)
  }
  await shards.close()
  const readMs = reads.sort((a, b) => a - b)[reads.length >> 1] ?? 0
  const facts = {
    case: name,
    rows: manifest.rowCount,
    seconds: round(planMs / 1000),
    peakRssMiB: rssMiB,
    shardReadMs: round(readMs),
  }
  process.stdout.write(`${JSON.stringify(facts)}\n`)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

const [first, second] = process.argv.slice(2)
if (first !== undefined && second !== undefined) {
  await runCase(first, second)
} else {
  const folder = mkdtempSync(join(tmpdir(), 'trawl-bench-plan-'))
  try {
    await makeTables(folder, Number(first ?? 1_000_000))
    for (const name of Object.keys(cases)) {
      spawnSync('node', [import.meta.filename, name, folder], { stdio: 'inherit' })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
