import { TrawlError, type DownloadTask } from '../../core/index.ts'
import type { FileFacts, Sink } from '../../storage/index.ts'
import { ByteCounter, PieceCheck, verifyFile, wantedAlgorithms } from '../verify/index.ts'
import type { EntityFacts, StagedTransfer } from './transfer.ts'

export interface WholeBodyOptions {
  readonly task: DownloadTask
  readonly facts: EntityFacts
  readonly sink: Sink
  readonly generation: number
  /** Told of every chunk; milliseconds to wait before the next, or a promise of the moment. */
  readonly received: (count: number) => number | Promise<void>
  readonly wait: (delayMs: number) => Promise<void>
}

/** Takes a file from the body of one response, start to end. */
export class WholeBody {
  readonly #options: WholeBodyOptions
  readonly #counter: ByteCounter
  readonly #pieces: PieceCheck | undefined

  constructor(options: WholeBodyOptions) {
    this.#options = options
    this.#counter = new ByteCounter(wantedAlgorithms(options.task, options.facts.digest))
    const { pieces } = options.task
    if (pieces) this.#pieces = new PieceCheck(pieces, options.facts.url)
  }

  take(chunk: Buffer): void | Promise<void> {
    const { sink, generation, received, wait } = this.#options
    const at = this.#counter.count
    this.#counter.update(chunk)
    this.#pieces?.update(chunk)
    const pause = received(chunk.length)
    const written = sink.write(at, chunk, generation)
    if (typeof pause !== 'number') return written === undefined ? pause : written.then(() => pause)
    if (pause <= 0) return written
    return written === undefined ? wait(pause) : written.then(() => wait(pause))
  }

  /**
   * The file after the end of the body: length and known digests have been checked. Throws ERR_LENGTH_MISMATCH,
   * ERR_DIGEST_MISMATCH.
   */
  staged(): StagedTransfer {
    const { task, facts, sink, generation } = this.#options
    const counter = this.#counter
    checkLength(facts.lengthBytes, counter.count, facts.url)
    checkLength(task.expectedSizeBytes, counter.count, facts.url)
    this.#pieces?.end()
    const digests = counter.digests()
    verifyFile(task, facts.digest, digests, facts.url)
    return {
      result: 'staged',
      sink,
      generation,
      lengthBytes: counter.count,
      crc32: counter.crc32,
      digests,
      fetchedBytes: counter.count,
      facts: fileFactsOf(facts, digests[0]),
    }
  }
}

/** The facts that are kept of a file, from those of its answer. */
export function fileFactsOf(facts: EntityFacts, digest: FileFacts['digest']): FileFacts {
  const kept: { -readonly [K in keyof FileFacts]: FileFacts[K] } = {
    url: facts.url,
    httpStatus: facts.httpStatus,
    validators: facts.validators,
  }
  if (facts.contentType !== undefined) kept.contentType = facts.contentType
  if (digest !== undefined) kept.digest = digest
  if (facts.lengthBytes === undefined) kept.unverifiedLength = true
  return kept
}

/** Throws ERR_LENGTH_MISMATCH when a length was announced and another came. */
export function checkLength(expected: number | undefined, got: number, url: string): void {
  if (expected === undefined || expected === got) return
  throw new TrawlError('ERR_LENGTH_MISMATCH', `${got} bytes arrived, ${expected} were announced`, {
    context: { url, expected, got },
  })
}
