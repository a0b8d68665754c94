import type { Sink } from '../../storage/index.ts'
import type { EntityFacts, StagedTransfer } from '../transfer/transfer.ts'
import { fileFactsOf } from '../transfer/whole-body.ts'
import type { WireResult } from './protocol.ts'

/**
 * The staged file of a worker as one of this process: opens the part that the worker wrote and closed, with no more of
 * it than is really there. Throws storage errors.
 */
export function adoptStaged(
  sink: Sink,
  told: Extract<WireResult, { result: 'staged' }>,
  known: { readonly facts: EntityFacts; readonly fetchedBytes: number },
): StagedTransfer {
  const { generation, lengthBytes, crc32, digests = [] } = told
  sink.open(lengthBytes === 0 ? [] : [{ start: 0, end: lengthBytes }], generation, lengthBytes)
  return {
    result: 'staged',
    sink,
    generation,
    lengthBytes,
    crc32,
    digests,
    fetchedBytes: known.fetchedBytes,
    facts: fileFactsOf(known.facts, digests[0]),
  }
}
