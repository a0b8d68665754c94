import { TrawlError } from '../../core/index.ts'
import type { TransportResponse } from '../../http/index.ts'
import type { Sink } from '../../storage/index.ts'
import { algorithmsOf, ByteCounter, verifyDigests } from '../verify/index.ts'
import type { EntityFacts, StagedTransfer, TransferOrder } from './transfer.ts'

export interface WholeFetch {
  readonly order: TransferOrder
  /** Told of every chunk; milliseconds to wait before the next. */
  readonly received: (count: number) => number
  readonly response: TransportResponse
  readonly facts: EntityFacts
  readonly sink: Sink
  readonly generation: number
  readonly wait: (delayMs: number) => Promise<void>
}

/**
 * Takes a file from the body of one response, start to end. The result is staged: length and expected digests have
 * been checked. Throws ERR_LENGTH_MISMATCH, ERR_DIGEST_MISMATCH, and what the body and the sink throw.
 */
export async function fetchWhole(fetch: WholeFetch): Promise<StagedTransfer> {
  const { order, response, facts, sink, generation } = fetch
  const expected = order.task.digests ?? []
  const counter = new ByteCounter(algorithmsOf(expected))
  await response.body.drain((chunk) => {
    const at = counter.count
    counter.update(chunk)
    const waitMs = fetch.received(chunk.length)
    const written = sink.write(at, chunk, generation)
    if (waitMs <= 0) return written
    return written === undefined ? fetch.wait(waitMs) : written.then(() => fetch.wait(waitMs))
  })
  checkLength(facts.lengthBytes, counter.count, facts.url)
  if (order.task.expectedSizeBytes !== undefined)
    checkLength(order.task.expectedSizeBytes, counter.count, facts.url)
  const digests = counter.digests()
  if (expected.length > 0) verifyDigests(expected, digests, facts.url)
  const digest = digests[0]
  return {
    result: 'staged',
    sink,
    generation,
    lengthBytes: counter.count,
    crc32: counter.crc32,
    digests,
    fetchedBytes: counter.count,
    facts: {
      url: facts.url,
      httpStatus: facts.httpStatus,
      validators: facts.validators,
      ...(facts.contentType === undefined ? {} : { contentType: facts.contentType }),
      ...(digest === undefined ? {} : { digest }),
      ...(facts.lengthBytes === undefined ? { unverifiedLength: true } : {}),
    },
  }
}

function checkLength(expected: number | undefined, got: number, url: string): void {
  if (expected === undefined || expected === got) return
  throw new TrawlError('ERR_LENGTH_MISMATCH', `${got} bytes arrived, ${expected} were announced`, {
    context: { url, expected, got },
  })
}
