import type { JobStats, Outcome } from '../core/index.ts'
import { TrawlError, fromErrorData } from '../core/index.ts'
import type { GetInputs } from '../files/index.ts'
import { createTrawl, type GetJobOptions } from './create-trawl.ts'

export interface BatchOptions extends GetJobOptions {
  /** Called about five times a second with files done and planned. */
  readonly onProgress?: (done: number, planned: number) => void
}

/** An outcome for each input, in their order, and the sums of the batch beside them. */
export interface BatchResult extends ReadonlyArray<Outcome> {
  readonly stats: JobStats
}

/** A batch result of its parts. */
export function batchResult(items: readonly Outcome[], stats: JobStats): BatchResult {
  return Object.assign([...items], { stats })
}

/**
 * Downloads files and resolves when all have ended, with an outcome for each, in the order of the input. Single
 * failures are outcomes. Rejects with the TrawlError that ended the whole batch, and with ERR_CANCELLED when the
 * signal fired. Keeps all outcomes in memory: for millions use `createTrawl().get()`.
 */
export async function batchDownload(urls: GetInputs, options: BatchOptions = {}): Promise<BatchResult> {
  const { onProgress, hooks, ...rest } = options
  const items: Outcome[] = []
  const trawl = await createTrawl()
  try {
    const job = trawl.get(urls, {
      ...rest,
      hooks: {
        ...hooks,
        afterItem: async (outcome, tools) => {
          items.push(outcome)
          await hooks?.afterItem?.(outcome, tools)
        },
      },
    })
    const stop = onProgress ? reportProgress(job, onProgress) : undefined
    const { error, status, stats } = await job.result
    stop?.()
    if (error) throw fromErrorData(error)
    if (status === 'cancelled') throw new TrawlError('ERR_CANCELLED', 'the batch was cancelled')
    return batchResult(
      items.toSorted((a, b) => a.ordinal - b.ordinal),
      stats,
    )
  } finally {
    await trawl.close()
  }
}

function reportProgress(
  job: {
    progress(): {
      readonly ok: number
      readonly skipped: number
      readonly failed: number
      readonly planned: number
    }
  },
  onProgress: (done: number, planned: number) => void,
): () => void {
  const tell = (): void => {
    const { ok, skipped, failed, planned } = job.progress()
    onProgress(ok + skipped + failed, planned)
  }
  const timer = setInterval(tell, 200)
  return () => {
    clearInterval(timer)
    tell()
  }
}
