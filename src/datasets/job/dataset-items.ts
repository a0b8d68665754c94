import { join } from 'node:path'
import type { ItemFilter, Outcome } from '../../core/index.ts'
import { taskId, type ErrorCode, type ErrorData } from '../../core/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import { openParquet } from '../parquet/index.ts'
import type { PlanManifest } from '../plan/index.ts'
import { isRowCode, rowCodes } from '../samples/index.ts'
import { localFolder, readShardState } from '../shards/index.ts'

const columns = [
  'key',
  'url',
  'status',
  'error_code',
  'error_message',
  'final_url',
  'http_status',
  'content_type',
  'original_bytes',
]

/**
 * The rows of all finished shards (or of those given) as outcomes, from their metadata. Attempts and times are in the
 * log and not given here. Throws ERR_INPUT_UNREADABLE and storage errors.
 */
export async function* datasetItems(
  out: string,
  manifest: PlanManifest,
  { shards, ...filter }: ItemFilter & { readonly shards?: Iterable<number> } = {},
): AsyncGenerator<Outcome, void, undefined> {
  for (const shard of shards ?? (await readShardState(localFolder(out), manifest)).committed()) {
    const file = await openParquet(join(out, shardFiles(shardName(shard, manifest)).parquet))
    try {
      let index = 0
      let start = 0
      for (const count of file.rowGroups) {
        for (const row of await file.read({ columns, start, end: start + count })) {
          const outcome = outcomeOf(row, shard * manifest.shardSize + index++)
          if (filter.status === undefined || filter.status === outcome.status) yield outcome
        }
        start += count
      }
    } finally {
      await file.close()
    }
  }
}

function outcomeOf(row: Record<string, unknown>, ordinal: number): Outcome {
  const url = textOf(row['url']) ?? ''
  const key = textOf(row['key']) ?? ''
  const ok = row['status'] === 'success'
  const finalUrl = textOf(row['final_url'])
  const contentType = textOf(row['content_type'])
  const httpStatus = row['http_status']
  return {
    id: taskId('sample', { kind: 'mirrors', places: [{ url }] }, { path: key }, 0),
    ordinal,
    status: ok ? 'ok' : 'failed',
    input: url,
    path: key,
    sizeBytes: Number(row['original_bytes'] ?? 0),
    fetchedBytes: 0,
    durationMs: 0,
    attempts: 0,
    ...(finalUrl === undefined ? {} : { url: finalUrl }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(typeof httpStatus === 'number' ? { httpStatus } : {}),
    ...(ok ? {} : { error: errorOf(row) }),
  }
}

function errorOf(row: Record<string, unknown>): ErrorData {
  const code = textOf(row['error_code']) ?? 'internal'
  return { code: errorCodeOf(code), message: textOf(row['error_message']) ?? code }
}

/** The error that most likely became the code of a row. */
export function errorCodeOf(rowCode: string): ErrorCode {
  const [first] = isRowCode(rowCode) ? rowCodes[rowCode].errors : []
  return (
    first ?? httpErrors[rowCode] ?? (rowCode.startsWith('http_') ? 'ERR_HTTP_STATUS' : 'ERR_SAMPLE_FILTERED')
  )
}

const httpErrors: Readonly<Record<string, ErrorCode>> = {
  http_401: 'ERR_HTTP_AUTH',
  http_403: 'ERR_HTTP_AUTH',
  http_404: 'ERR_HTTP_NOT_FOUND',
  http_410: 'ERR_HTTP_NOT_FOUND',
  opt_out: 'ERR_ROBOTS_DISALLOWED',
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
