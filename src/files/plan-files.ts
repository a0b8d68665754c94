import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeLocator, toTrawlError, type DownloadTask, type ErrorData } from '../core/index.ts'
import { planTransfer, retryOptionsOf, type FetchDocument, type TransferPlan } from '../engine/index.ts'
import { createFileNamer } from './file-name.ts'
import type { GetSpec } from './get-spec.ts'
import { createTaskFetcher } from './metalink-documents.ts'
import { readTasks } from './read-requests.ts'

/** What a get job would do with one item. */
export interface PlannedFile {
  readonly ordinal: number
  readonly input: string
  /** Relative to the output folder; absent where only the server's answer can tell. Twins are not numbered yet. */
  readonly path?: string
  /** Something stands under that name already. */
  readonly exists?: boolean
  /** How it would be fetched, as far as that can be told without asking; absent where nothing can. */
  readonly transfer?: TransferPlan
  /** Why nothing could be fetched for it. */
  readonly error?: ErrorData
}

/**
 * What a get job would fetch, without a look into its journal; nothing is requested but Metalinks. Throws ERR_INPUT_UNREADABLE,
 * ERR_CONFIG_INVALID for a template that is wrong.
 */
export async function* planFiles(
  spec: GetSpec,
  tell: {
    readonly notice: (message: string) => void
    readonly fetchDocument: FetchDocument
    readonly signal: AbortSignal
  },
): AsyncGenerator<PlannedFile, void, undefined> {
  const { dir, name } = spec.options
  const nameOf = createFileNamer({ startedMs: Date.now(), ...(name === undefined ? {} : { template: name }) })
  const { fetchDocument, ...rest } = tell
  const fetchOfTask = createTaskFetcher(fetchDocument, retryOptionsOf(spec.options))
  for await (const tasks of readTasks(spec, { ...rest, fetchOfTask })) {
    for (const task of tasks) {
      const { ordinal } = task
      if (!('locator' in task)) {
        yield { ordinal, input: task.input, ...('refused' in task ? { error: task.refused.toJSON() } : {}) }
        continue
      }
      const input = describeLocator(task.locator)
      try {
        const path = nameOf(task, undefined)
        const transfer = transferOf(task)
        yield {
          ordinal,
          input,
          ...(path === undefined ? {} : { path, exists: existsSync(join(dir, path)) }),
          ...(transfer ? { transfer } : {}),
        }
      } catch (error) {
        yield { ordinal, input, error: toTrawlError(error).toJSON() }
      }
    }
  }
}

/** What lists, Metalinks and flags tell of the transfer; nothing for a plain URL. */
function transferOf({ expectedSizeBytes, locator, split }: DownloadTask): TransferPlan | undefined {
  const sources = locator.kind === 'mirrors' ? locator.places.length : 1
  if (expectedSizeBytes === undefined && sources === 1 && split === undefined) return undefined
  return planTransfer({
    sources,
    ...(expectedSizeBytes === undefined ? {} : { sizeBytes: expectedSizeBytes }),
    ...(split === undefined ? {} : { split }),
  })
}
