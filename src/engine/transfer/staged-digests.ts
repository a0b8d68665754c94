import type { Digest, DigestAlgorithm } from '../../core/index.ts'
import type { Sink } from '../../storage/index.ts'
import { ByteCounter, type PieceCheck } from '../verify/index.ts'

/** Read at a time. */
const stepBytes = 1024 * 1024

/**
 * Digests of a staged file, read back from the disk a part at a time so that nothing else has to wait. Throws what
 * `pieces` finds.
 */
export async function digestsOf(
  sink: Sink,
  lengthBytes: number,
  algorithms: readonly DigestAlgorithm[],
  pieces: PieceCheck | undefined,
): Promise<Digest[]> {
  const counter = new ByteCounter(algorithms)
  for (let at = 0; at < lengthBytes; at += stepBytes) {
    const bytes = sink.read(at, Math.min(stepBytes, lengthBytes - at))
    counter.update(bytes)
    pieces?.update(bytes)
    await new Promise(setImmediate)
  }
  pieces?.end()
  return counter.digests()
}
