import { TrawlError } from '../../core/index.ts'
import { headerValue, type TransportResponse } from '../../http/index.ts'
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

/** ERR_HTTP_ENCODED for a coding that was not asked for: the bytes would not be the file's. */
export function refuseEncoded(response: TransportResponse): TrawlError | undefined {
  const coding = headerValue(response.headers, 'content-encoding')?.trim().toLowerCase()
  if (coding === undefined || coding === '' || coding === 'identity') return undefined
  return new TrawlError(
    'ERR_HTTP_ENCODED',
    `the server sent the file as ${coding} although identity was asked for`,
    {
      context: { url: response.url },
    },
  )
}
