import { TrawlError } from '../../core/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import { openParquet } from '../parquet/index.ts'
import type { PlanManifest } from '../plan/index.ts'
import { rowCodeNames, rowSelector, type RowSelector } from '../samples/index.ts'
import type { ShardFolder } from './shard-folder.ts'
import { readShardState } from './shard-state.ts'

/** Rows of one shard that are to be fetched again. */
export interface RetryRows {
  readonly shard: number
  /** Indices in the shard, ascending. */
  readonly indexes: readonly number[]
}

/**
 * Finds the rows of finished shards (or of those given) that failed in one of the ways named, shard by shard (shards without any are
 * left out). Words are row codes, `http_4xx`, `http_5xx`, `http_503` and the like, `failed_to_download`,
 * `failed_to_resize` and `failed`. Throws ERR_USAGE for an unknown word, ERR_INPUT_UNREADABLE and storage errors.
 */
export async function* selectRetryRows(
  folder: ShardFolder,
  manifest: PlanManifest,
  statuses: readonly string[],
  shards?: Iterable<number>,
): AsyncIterableIterator<RetryRows> {
  const selectors = statuses.map(selectorOf)
  for (const shard of shards ?? (await readShardState(folder, manifest)).committed()) {
    const indexes = await matchingRows(folder, shardFiles(shardName(shard, manifest)).parquet, selectors)
    if (indexes.length > 0) yield { shard, indexes }
  }
}

function selectorOf(word: string): RowSelector {
  const selector = word === 'success' ? undefined : rowSelector(word)
  if (selector) return selector
  throw new TrawlError('ERR_USAGE', `--status: '${word}' is no status of a failed row`, {
    context: { field: 'status' },
    hint: `Known are failed, failed_to_download, failed_to_resize, http_503 and the like, ${rowCodeNames().join(', ')}.`,
  })
}

async function matchingRows(
  folder: ShardFolder,
  name: string,
  selectors: readonly RowSelector[],
): Promise<number[]> {
  const file = await openParquet(await folder.open(name))
  try {
    const rows = await file.read({ columns: ['status', 'error_code', 'http_status'] })
    const indexes: number[] = []
    for (const [index, row] of rows.entries()) {
      const { status, error_code: errorCode, http_status: httpStatus } = row
      const facts = {
        status: String(status),
        errorCode: typeof errorCode === 'string' ? errorCode : null,
        httpStatus: typeof httpStatus === 'number' ? httpStatus : null,
      }
      if (selectors.some((matches) => matches(facts))) indexes.push(index)
    }
    return indexes
  } finally {
    await file.close()
  }
}
