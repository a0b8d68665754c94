import { createReadStream } from 'node:fs'
import { toTrawlError, TrawlError, type Digest } from '../core/index.ts'
import { algorithmsOf, ByteCounter, verifyDigests } from '../engine/index.ts'
import { storageError, type OutputFolder } from '../storage/index.ts'

/** One finished file, looked at again. */
export interface VerifiedFile {
  /** Relative to the output folder. */
  readonly path: string
  /** What was compared. */
  readonly what: string
  readonly error?: TrawlError
}

/**
 * Reads every file that the journal of a folder calls finished and compares length, CRC-32, and the
 * digest where one is on record. Throws ERR_CANCELLED
 * and what the journal throws.
 */
export async function* verifyFiles(
  folder: OutputFolder,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<VerifiedFile, void, undefined> {
  for await (const { id, path, digest } of folder.journal.outcomes({ status: 'ok' })) {
    if (options.signal?.aborted) throw new TrawlError('ERR_CANCELLED', 'the check was cancelled')
    if (path === undefined) continue
    const intent = folder.journal.find(id)?.intent
    const length = folder.journal.doneFile(id)?.lengthBytes
    const error = await faultOfFile(`${folder.path}/${path}`, {
      length,
      sum: intent?.crc32,
      digests: digest ? [digest] : [],
    })
    const what = digest ? `length, CRC-32 and ${digest.algorithm}` : 'length and CRC-32'
    yield error ? { path, what, error } : { path, what }
  }
}

/** What the bytes of a file should be; what is undefined is not compared. */
export interface ExpectedFile {
  readonly length: number | undefined
  /** CRC-32. */
  readonly sum: number | undefined
  readonly digests: readonly Digest[]
}

/** ERR_VERIFY_FAILED where a file cannot be read or is another than expected. */
export async function faultOfFile(path: string, expected: ExpectedFile): Promise<TrawlError | undefined> {
  const fault = (why: string): TrawlError =>
    new TrawlError('ERR_VERIFY_FAILED', `${path}: ${why}`, { context: { path } })
  const { digests } = expected
  const counter = new ByteCounter(algorithmsOf(digests))
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      counter.update(chunk as Buffer)
    }
  } catch (error) {
    return fault(storageError(error, { path, doing: 'read' }).message)
  }
  if (expected.length !== undefined && counter.count !== expected.length) {
    return fault(`${counter.count} bytes instead of ${expected.length}`)
  }
  if (expected.sum !== undefined && counter.crc32 !== expected.sum) {
    return fault('other bytes than were downloaded')
  }
  try {
    verifyDigests(digests, counter.digests(), path)
  } catch (error) {
    return fault(toTrawlError(error).message)
  }
  return undefined
}
