import { TrawlError } from '../../core/index.ts'
import { headerValue, parseContentRange, type TransportResponse } from '../../http/index.ts'
import type { EntityFacts, TransferOrder } from './transfer.ts'

/** True where the server was asked for the file only if it is another version. */
export function isConditional({ task, places }: TransferOrder): boolean {
  const headers = { ...task.headers, ...places[0]?.headers }
  return 'if-none-match' in headers || 'if-modified-since' in headers
}

/** Throws ERR_LENGTH_MISMATCH: a file of another length is not the one that is wanted, and none of it is taken. */
export function checkExpectedLength(expected: number | undefined, { url, lengthBytes }: EntityFacts): void {
  if (expected === undefined || lengthBytes === undefined || expected === lengthBytes) return
  throw new TrawlError(
    'ERR_LENGTH_MISMATCH',
    `the server has a file of ${lengthBytes} bytes, ${expected} were expected`,
    { retry: 'never', context: { url, expected, got: lengthBytes } },
  )
}

/**
 * Throws ERR_RANGE_INVALID for an answer that has a part of the file, or does not say which, though all of it was asked
 * for: as caches give it that mistook the range of another request for the file.
 */
export function refusePart({ status, headers, url }: TransportResponse): void {
  if (status !== 206) return
  const text = headerValue(headers, 'content-range')
  const range = parseContentRange(text)
  if (range?.unit === 'bytes' && range.start === 0 && range.end === range.totalBytes) return
  const part = range ? `bytes ${range.start}-${range.end - 1} of ${range.totalBytes ?? 'unknown'}` : 'a part'
  throw new TrawlError('ERR_RANGE_INVALID', `the server sent ${part} though the whole file was asked for`, {
    context: { url, status },
  })
}
