import type { Digest, DigestAlgorithm, DownloadTask } from '../../core/index.ts'
import { algorithmsOf } from './byte-counter.ts'
import { verifyDigests } from './verify-digests.ts'

/**
 * What is to be computed of a file, the one that goes on record first: what was asked for, what is expected, what the
 * server told. Undefined where it is nothing, as for most files.
 */
export function wantedAlgorithms(
  task: DownloadTask,
  told: Digest | undefined,
): readonly DigestAlgorithm[] | undefined {
  const { digests, digestAlgorithm } = task
  if (digests === undefined && digestAlgorithm === undefined && told === undefined) return undefined
  const wanted = new Set<DigestAlgorithm>()
  if (digestAlgorithm !== undefined) wanted.add(digestAlgorithm)
  for (const name of algorithmsOf(digests ?? [])) wanted.add(name)
  if (told) wanted.add(told.algorithm)
  return [...wanted]
}

/** Throws ERR_DIGEST_MISMATCH where a file is not what was expected of it, or not what its server told of it. */
export function verifyFile(
  task: DownloadTask,
  told: Digest | undefined,
  computed: readonly Digest[],
  url: string,
): void {
  if (task.digests) verifyDigests(task.digests, computed, url)
  if (told) verifyDigests([told], computed, url, 'the server announced')
}
