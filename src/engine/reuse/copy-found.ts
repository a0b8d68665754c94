import { constants, createReadStream } from 'node:fs'
import { chmod, copyFile, link, open, rm, stat } from 'node:fs/promises'
import { TrawlError, type Digest } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import type { FoundFile } from '../destination/found-file.ts'
import { algorithmsOf, ByteCounter, verifyDigests } from '../verify/index.ts'

/** What a copy turned out to be. */
export interface CopiedFile {
  readonly crc32: number
  readonly digests: readonly Digest[]
}

/**
 * Copies a file that was found to the place of a part: sharing its blocks where the file system can, or as a second
 * name of it with `asLink`. Undefined, and nothing is left, where the copy is not what the record or the digest says:
 * the copy itself is read, so that what changes meanwhile is noticed. Throws storage errors for the copy only.
 */
export async function copyFound(
  found: FoundFile,
  partPath: string,
  options: { readonly asLink: boolean },
): Promise<CopiedFile | undefined> {
  try {
    await rm(partPath, { force: true })
    if (!(options.asLink && (await linked(found.path, partPath)))) {
      const rights = await rightsOfNew(partPath)
      await copyFile(found.path, partPath, constants.COPYFILE_FICLONE)
      // Those of a download, not those of what was found.
      await chmod(partPath, rights)
    }
    const copy = await readCopy(found, partPath)
    if (!copy) await rm(partPath, { force: true })
    return copy
  } catch (error) {
    await rm(partPath, { force: true }).catch(() => {})
    const failure = storageError(error, { path: partPath, doing: 'copy a file that was found to' })
    if (failure.scope === 'volume' && failure.code !== 'ERR_PERMISSION') throw failure
    // What was found is gone or may not be read: then it is fetched.
    return undefined
  }
}

/** Makes a file, and tells the rights that this process gives to new ones. */
async function rightsOfNew(path: string): Promise<number> {
  const file = await open(path, 'wx', 0o666)
  try {
    return (await file.stat()).mode & 0o777
  } finally {
    await file.close()
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch {
    // Another volume, or a file system without links.
    return false
  }
}

async function readCopy(found: FoundFile, path: string): Promise<CopiedFile | undefined> {
  const counter = new ByteCounter(found.digests && algorithmsOf(found.digests))
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    counter.update(chunk as Buffer)
  if (counter.count !== found.lengthBytes) return undefined
  if (found.crc32 !== undefined && counter.crc32 !== found.crc32) return undefined
  const digests = counter.digests()
  try {
    if (found.digests) verifyDigests(found.digests, digests, found.path)
  } catch (error) {
    if (error instanceof TrawlError) return undefined
    throw error
  }
  return { crc32: counter.crc32, digests }
}

/** CRC-32 of a file; undefined where it cannot be read or has another length. */
export async function crcOfFile(path: string, lengthBytes: number): Promise<number | undefined> {
  const counter = new ByteCounter()
  try {
    if ((await stat(path)).size !== lengthBytes) return undefined
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      counter.update(chunk as Buffer)
  } catch {
    return undefined
  }
  return counter.count === lengthBytes ? counter.crc32 : undefined
}
