import { describeLocator, type DownloadTask, type Place } from '../../core/index.ts'
import { parseHttpDate } from '../../http/index.ts'
import type { FoundFile } from '../destination/found-file.ts'
import { conditionalPlaces, hasStrongTag, sameVersion } from '../destination/same-version.ts'
import type { EntityFacts } from '../transfer/transfer.ts'
import { copyFound, type CopiedFile } from './copy-found.ts'
import type { PlainFile, RecordedFile, ReuseFolders } from './reuse-folders.ts'

/** How files of other folders are used in place of a transfer. */
export interface ReuseOptions {
  readonly folders: ReuseFolders
  /** Length and time, with both ends compared, are proof enough. */
  readonly bySample: boolean
  /** A second name in place of a copy. */
  readonly asLink: boolean
}

/** Bytes at each end of a file that are fetched and compared. */
export const sampleBytes = 64 * 1024
/** Shorter files are fetched: the ends would be most of them, and asking costs as much. */
const leastSampledBytes = 1024 * 1024
const copiesAtOnce = 2

/** Looks for files that need not be fetched, and copies them. What counts as proof is in `FoundFile`. */
export class FoundFiles {
  readonly #options: ReuseOptions
  #copying = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: ReuseOptions) {
    this.#options = options
  }

  /** Before anything is sent: what may be the file, and the places that are asked whether it is. */
  beforehand(task: DownloadTask): { readonly found?: FoundFile; readonly places?: readonly Place[] } {
    const recorded = this.#options.folders.recorded(task)
    if (task.digests) {
      const found = this.#byDigest(task, recorded)
      if (found) return { found }
    }
    if (!recorded || recorded.entry.intent.lengthBytes === 0) return {}
    const found = foundOf(recorded, 'answer', task)
    const { validators, url } = found
    if (task.locator.kind === 'source' || validators === undefined || url === undefined) return {}
    // Only a strong tag stands for exact bytes; a date is no more than a hint.
    if (!hasStrongTag(validators)) return {}
    const { etag } = validators
    const condition = etag === undefined ? {} : { etag }
    return { found, places: conditionalPlaces(task.locator.places, { validators: condition, url }) }
  }

  /** With the headers here: the file that is taken in place of the body. */
  atAnswer(task: DownloadTask, beforehand: FoundFile | undefined, facts: EntityFacts): FoundFile | undefined {
    if (beforehand?.proof === 'answer' && sameVersion(beforehand, facts) === 'strong') return beforehand
    return this.#options.bySample ? this.#bySample(task, facts) : undefined
  }

  /** As `copyFound`, a few at a time. */
  async copy(found: FoundFile, partPath: string): Promise<CopiedFile | undefined> {
    if (this.#copying >= copiesAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#copying++
    try {
      // Both ends of a sampled copy are written anew, which must not reach what it was made of.
      return await copyFound(found, partPath, {
        asLink: this.#options.asLink && found.proof !== 'sample',
      })
    } finally {
      this.#copying--
      this.#waiting.shift()?.()
    }
  }

  #byDigest(task: DownloadTask, recorded: RecordedFile | undefined): FoundFile | undefined {
    const { digests, expectedSizeBytes } = task
    if (!digests) return undefined
    if (recorded && mayHave(recorded, digests)) {
      return { ...foundOf(recorded, 'digest', task), digests }
    }
    const { folders } = this.#options
    const name = nameOf(task)
    const named = name === undefined ? [] : folders.ofName(name)
    const plain =
      expectedSizeBytes === undefined
        ? named[0]
        : (named.find((file) => file.sizeBytes === expectedSizeBytes) ?? folders.ofSize(expectedSizeBytes)[0])
    return plain && { ...plainFound(plain, 'digest'), digests }
  }

  #bySample(task: DownloadTask, facts: EntityFacts): FoundFile | undefined {
    const { lengthBytes, validators, acceptsRanges } = facts
    const modifiedMs = parseHttpDate(validators.lastModified)
    if (lengthBytes === undefined || lengthBytes < leastSampledBytes) return undefined
    if (modifiedMs === undefined || acceptsRanges === false) return undefined
    const told = { validators, url: facts.url, ...contentTypeOf(facts) }
    const recorded = this.#options.folders.recorded(task)
    if (recorded && sameVersion(recordedVersion(recorded), facts) !== 'no') {
      return { ...foundOf(recorded, 'sample', task), ...told }
    }
    const modifiedS = Math.floor(modifiedMs / 1000)
    const plain = this.#options.folders.ofSize(lengthBytes).find((file) => file.modifiedS === modifiedS)
    return plain && { ...plainFound(plain, 'sample'), ...told }
  }
}

/** A recorded digest of another value rules the file out without reading it. */
function mayHave({ entry }: RecordedFile, digests: NonNullable<DownloadTask['digests']>): boolean {
  const { digest } = entry.intent.facts
  return digests.every(({ algorithm, value }) => digest?.algorithm !== algorithm || digest.value === value)
}

function recordedVersion({ entry }: RecordedFile): Parameters<typeof sameVersion>[0] {
  const { lengthBytes, facts } = entry.intent
  return { lengthBytes, ...(facts.validators ? { validators: facts.validators } : {}) }
}

function foundOf(recorded: RecordedFile, proof: FoundFile['proof'], task: DownloadTask): FoundFile {
  const { path, name, entry } = recorded
  const { lengthBytes, crc32, facts } = entry.intent
  return {
    where: 'elsewhere',
    proof,
    path,
    name: name.slice(name.lastIndexOf('/') + 1),
    lengthBytes,
    crc32,
    url: facts.url ?? describeLocator(task.locator),
    ...(facts.validators ? { validators: facts.validators } : {}),
    ...contentTypeOf(facts),
  }
}

function plainFound({ path, sizeBytes }: PlainFile, proof: FoundFile['proof']): FoundFile {
  return { where: 'elsewhere', proof, path, lengthBytes: sizeBytes }
}

function contentTypeOf({ contentType }: { readonly contentType?: string }): {
  readonly contentType?: string
} {
  return contentType === undefined ? {} : { contentType }
}

/** The last part of the name that a task asks for, or of its address. */
function nameOf(task: DownloadTask): string | undefined {
  const path = task.target.path ?? URL.parse(describeLocator(task.locator))?.pathname
  const name = path?.slice(path.lastIndexOf('/') + 1)
  return name === undefined || name === '' ? undefined : name
}
