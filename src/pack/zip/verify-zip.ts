import { readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import { createEntryCheck } from './winzip-aes.ts'
import { readDirectory, type DirectoryEntry } from './read/zip-directory.ts'

/** What the writer knows of the archive it wrote. */
export interface ZipExpectation {
  readonly path: string
  readonly sizeBytes: number
  readonly entries: number
  readonly password?: string
}

const blockBytes = 1024 * 1024

/**
 * Reads a finished ZIP back: the central directory, the local header of every entry, and the checksum of its content
 * or, where it is encrypted, its authentication code. Throws ERR_PACK_READBACK.
 */
export async function verifyZip(fd: number, expected: ZipExpectation): Promise<void> {
  const fail = (reason: string) =>
    new TrawlError('ERR_PACK_READBACK', `${expected.path}: read back: ${reason}`, {
      context: { path: expected.path },
    })
  try {
    const block = Buffer.allocUnsafe(blockBytes)
    let count = 0
    for await (const entry of readDirectory(fd, expected.path)) {
      count++
      const reason = checkEntry(fd, entry, block, expected.password)
      if (reason !== undefined) throw fail(`${entry.name}: ${reason}`)
    }
    if (count !== expected.entries) throw fail(`${count} entries, ${expected.entries} added`)
  } catch (error) {
    if (isTrawlError(error) && error.code === 'ERR_PACK_DAMAGED') throw fail(error.message)
    throw error
  }
}

function checkEntry(
  fd: number,
  entry: DirectoryEntry,
  block: Buffer,
  password: string | undefined,
): string | undefined {
  if (!entry.confirmed) return 'its two headers differ'
  const check = entry.encrypted ? createEntryCheck(password ?? '') : undefined
  let crc = 0
  for (let done = 0; done < entry.storedBytes;) {
    const length = Math.min(block.length, entry.storedBytes - done)
    const count = readSync(fd, block, 0, length, entry.contentOffset + done)
    if (count === 0) return 'the archive is cut'
    const piece = block.subarray(0, count)
    if (check) check.update(piece)
    else crc = crc32(piece, crc)
    done += count
  }
  if (check) return check.matches() ? undefined : 'wrong authentication code'
  return crc === entry.crc ? undefined : 'wrong checksum'
}
