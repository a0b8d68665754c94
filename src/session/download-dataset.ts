import { resolve } from 'node:path'
import { fromErrorData, TrawlError, type JobStats } from '../core/index.ts'
import { createTrawl } from './create-trawl.ts'
import type { DatasetJobOptions } from './dataset-session.ts'

export interface DownloadDatasetOptions extends DatasetJobOptions {
  /** Called about five times a second with rows done and planned. */
  readonly onProgress?: (done: number, planned: number) => void
}

export interface DownloadedDataset {
  readonly stats: JobStats
  /** Absolute path of the report page. */
  readonly reportPath: string
}

/**
 * Makes a dataset and resolves when all its rows have ended; rows that failed are in the metadata of their shards.
 * Rejects with the TrawlError that ended the whole job, and with ERR_CANCELLED when the signal fired.
 */
export async function downloadDataset(options: DownloadDatasetOptions): Promise<DownloadedDataset> {
  const { onProgress, ...rest } = options
  const trawl = await createTrawl()
  try {
    const job = trawl.dataset(rest)
    const tell = (): void => {
      const { ok, skipped, failed, planned } = job.progress()
      onProgress?.(ok + skipped + failed, planned)
    }
    const timer = onProgress ? setInterval(tell, 200) : undefined
    const { error, status, stats } = await job.result
    clearInterval(timer)
    tell()
    if (error) throw fromErrorData(error)
    if (status === 'cancelled') throw new TrawlError('ERR_CANCELLED', 'the dataset was cancelled')
    return { stats, reportPath: resolve(rest.dir ?? '.', 'report.html') }
  } finally {
    await trawl.close()
  }
}
