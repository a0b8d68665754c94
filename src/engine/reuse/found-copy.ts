import { describeLocator, TrawlError, type DownloadTask } from '../../core/index.ts'
import type { Sink } from '../../storage/index.ts'
import type { CommitFacts } from '../destination/destination.ts'
import type { FoundFile } from '../destination/found-file.ts'
import { hostOf } from '../run/host-of.ts'
import type { EntityFacts, KeptBytes, StagedTransfer } from '../transfer/transfer.ts'
import type { CopiedFile } from './copy-found.ts'
import { sampleBytes } from './found-files.ts'

/** The facts of a file that was found, as if a server had told them: for its name. */
export function factsOfFound(found: FoundFile, task: DownloadTask): EntityFacts {
  const { name, lengthBytes, validators, contentType } = found
  return {
    url: found.url ?? describeLocator(task.locator),
    httpStatus: 200,
    lengthBytes,
    validators: validators ?? {},
    ...(contentType === undefined ? {} : { contentType }),
    // What it was called when it was downloaded, which its server may have chosen.
    ...(name === undefined
      ? {}
      : { contentDisposition: `attachment; filename*=UTF-8''${encodeURIComponent(name)}` }),
  }
}

/** A copy in the place of a part, as a transfer that has all its bytes. The sink is opened. */
export function stagedCopy(
  found: FoundFile,
  { crc32, digests }: CopiedFile,
  sink: Sink,
  outcome: CommitFacts,
): StagedTransfer {
  const { lengthBytes, url, validators, contentType } = found
  const [digest] = digests
  sink.open([{ start: 0, end: lengthBytes }], 1, lengthBytes)
  return {
    result: 'staged',
    sink,
    generation: 1,
    lengthBytes,
    crc32,
    digests,
    fetchedBytes: outcome.fetchedBytes,
    facts: {
      ...(url === undefined ? {} : { url }),
      ...(validators === undefined ? {} : { validators }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(digest === undefined ? {} : { digest }),
    },
  }
}

/** All bytes of a copy but its two ends, which are to be fetched. */
export function withoutEnds({ lengthBytes, url, validators, contentType }: FoundFile): KeptBytes {
  return {
    generation: 1,
    extents: [{ start: sampleBytes, end: lengthBytes - sampleBytes }],
    lengthBytes,
    validators: url === undefined || validators === undefined ? {} : { [hostOf(url)]: validators },
    ...(contentType === undefined ? {} : { contentType }),
  }
}

/** The ends of a file that was found are other bytes than the server has; it is fetched. */
export function otherThanFound({ path }: FoundFile): TrawlError {
  return new TrawlError(
    'ERR_ENTITY_CHANGED',
    `${path} has the length and time of the file, but other bytes`,
    {
      context: { path },
    },
  )
}
