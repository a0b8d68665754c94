import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openParquet } from '../../../src/datasets/parquet/index.ts'
import type { JobResult } from '../../../src/jobs/index.ts'
import { createTrawl, type DatasetJobOptions, type Trawl } from '../../../src/session/index.ts'
import { tempFolder } from '../temp-folder.ts'

/** A CSV table of URLs with captions and numbers. */
export function csvTable(urls: readonly string[], extra: (i: number) => string = (i) => String(i)): string {
  const path = join(tempFolder(), 'table.csv')
  const rows = urls.map((url, i) => `${url},"caption ${i}",${extra(i)}`)
  writeFileSync(path, `url,caption,number\n${rows.join('\n')}\n`)
  return path
}

export async function trawlFor(): Promise<Trawl> {
  const trawl = await createTrawl()
  onTestFinished(() => trawl.close())
  return trawl
}

/** Runs a dataset job to its end. Retries are quick, and there are few. */
export async function makeDataset(options: DatasetJobOptions): Promise<JobResult> {
  const trawl = await trawlFor()
  return trawl.dataset({ ...quick, ...options }).result
}

export const quick = {
  durability: 'none',
  retries: 1,
  retryDelayMs: 10,
  retryMaxDelayMs: 20,
  captionCol: 'caption',
} as const satisfies Partial<DatasetJobOptions>

/** All rows of the metadata of a dataset, in plan order. */
export async function metadata(out: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const name of readdirSync(out).toSorted()) {
    if (!/^\d+\.parquet$/.test(name)) continue
    const file = await openParquet(join(out, name))
    rows.push(...(await file.read()))
    await file.close()
  }
  return rows
}

/** SHA-256 of all that must not differ between two runs: everything but logs, stats and reports. */
export function fingerprint(out: string): Record<string, string> {
  const prints: Record<string, string> = {}
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (name.startsWith('.trawl') || /_log\.parquet$|stats\.json$|^report\./.test(name)) continue
    const path = join(out, name)
    if (statSync(path).isFile()) prints[name] = createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  return prints
}
