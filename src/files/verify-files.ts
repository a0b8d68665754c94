import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import { TrawlError } from '../core/index.ts'
import { storageError, type OutputFolder } from '../storage/index.ts'

/** One finished file, looked at again. */
export interface VerifiedFile {
  /** Relative to the output folder. */
  readonly path: string
  readonly error?: TrawlError
}

/**
 * Reads every file that the journal of a folder calls finished and compares length and CRC-32. Throws ERR_CANCELLED
 * and what the journal throws.
 */
export async function* verifyFiles(
  folder: OutputFolder,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<VerifiedFile, void, undefined> {
  for await (const { id, path } of folder.journal.outcomes({ status: 'ok' })) {
    if (options.signal?.aborted) throw new TrawlError('ERR_CANCELLED', 'the check was cancelled')
    if (path === undefined) continue
    const intent = folder.journal.find(id)?.intent
    const length = folder.journal.doneFile(id)?.lengthBytes
    const error = await faultOf(`${folder.path}/${path}`, { length, sum: intent?.crc32 })
    yield error ? { path, error } : { path }
  }
}

async function faultOf(
  path: string,
  expected: { readonly length: number | undefined; readonly sum: number | undefined },
): Promise<TrawlError | undefined> {
  const fault = (why: string): TrawlError =>
    new TrawlError('ERR_VERIFY_FAILED', `${path}: ${why}`, { context: { path } })
  let length = 0
  let sum = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      const bytes = chunk as Buffer
      length += bytes.length
      sum = crc32(bytes, sum)
    }
  } catch (error) {
    return fault(storageError(error, { path, doing: 'read' }).message)
  }
  if (expected.length !== undefined && length !== expected.length) {
    return fault(`${length} bytes instead of ${expected.length}`)
  }
  if (expected.sum !== undefined && sum !== expected.sum) return fault('other bytes than were downloaded')
  return undefined
}
