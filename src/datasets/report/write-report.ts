import { mkdirSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Durability } from '../../storage/index.ts'
import { writeWhole } from '../layout/write-whole.ts'
import type { ShardPlan } from '../plan/index.ts'
import type { SampleLayout } from '../samples/index.ts'
import { collectReport } from './collect-report.ts'
import { contactSheet } from './contact-sheet.ts'
import type { ReportData } from './report-data.ts'
import { reportHtml } from './report-html.ts'

export interface ReportOptions {
  /** The output folder. */
  readonly out: string
  readonly plan: ShardPlan
  readonly layout: SampleLayout
  /** Default: the name of the folder. */
  readonly title?: string
  readonly durability?: Durability
  readonly memoryLimitBytes?: number
  readonly signal?: AbortSignal
}

/**
 * Writes `report.html` and `report.json` for the shards that are finished. Throws ERR_CANCELLED, ERR_PACK_DAMAGED,
 * ERR_INPUT_UNREADABLE and storage errors.
 */
export async function writeReport(
  options: ReportOptions,
): Promise<{ readonly htmlPath: string; readonly jsonPath: string; readonly data: ReportData }> {
  const { out, plan, layout, durability = 'batch', memoryLimitBytes, signal } = options
  const tempDir = join(out, '.trawl', 'report.tmp')
  mkdirSync(tempDir, { recursive: true })
  try {
    const [counts, thumbnails] = await Promise.all([
      collectReport(out, plan.manifest, {
        tempDir,
        ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
        ...(signal === undefined ? {} : { signal }),
      }),
      contactSheet(out, plan, layout),
    ])
    const data: ReportData = { ...counts, samples: thumbnails.map(({ key, caption }) => ({ key, caption })) }
    const title = options.title ?? `Dataset ${basename(resolve(out))}`
    const htmlPath = join(out, 'report.html')
    const jsonPath = join(out, 'report.json')
    writeWhole(jsonPath, `${JSON.stringify(data, null, 2)}\n`, durability)
    writeWhole(htmlPath, reportHtml(title, data, thumbnails), durability)
    return { htmlPath, jsonPath, data }
  } finally {
    rmSync(tempDir, { recursive: true, force: true })
  }
}
