import { closeSync, fstatSync, openSync } from 'node:fs'
import { TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { readUpTo } from '../part-file/index.ts'
import { decodePaxRecords, decodeTarHeader, tarBlockBytes, tarPaddingBytes } from './tar-header.ts'

const windowBytes = 64 * 1024
const maxRecordBytes = 1024 * 1024

/** One file in a tar. */
export interface TarMember {
  readonly name: string
  /** Where the bytes of the member begin. */
  readonly offset: number
  readonly sizeBytes: number
  /** Where the first header block of the member begins. */
  readonly headerOffset: number
}

/** Reads a tar at random. `close` when done. */
export interface TarReader {
  /** The files of the archive in order; folders and other kinds are passed over. Throws ERR_PACK_DAMAGED. */
  members(): IterableIterator<TarMember>
  read(member: TarMember): Buffer
  close(): void
}

/**
 * Opens a tar: ustar, pax and GNU long names are understood (the names and sizes, not owners or times). A file
 * that ends between two members without the two zero blocks is accepted, as other tar programs do.
 * Throws ERR_IO and other storage errors.
 */
export function openTar(path: string): TarReader {
  const fd = attempt(path, () => openSync(path, 'r'))
  let open = true
  return {
    members: () => tarMembers(fd, path),
    read(member) {
      const out = Buffer.allocUnsafe(member.sizeBytes)
      if (readUpTo(fd, out, member.offset) < out.length) throw cut(path, member.offset)
      return out
    },
    close() {
      if (open) closeSync(fd)
      open = false
    },
  }
}

/** Walks the headers of an open tar. Throws ERR_PACK_DAMAGED at the first one that is cut or wrong. */
export function* tarMembers(fd: number, path: string): IterableIterator<TarMember> {
  const sizeBytes = fstatSync(fd).size
  const window = createWindow(fd)
  let at = 0
  let headerOffset = 0
  let records = new Map<string, string>()
  while (at < sizeBytes) {
    const bytes = window(at, tarBlockBytes)
    if (bytes.length < tarBlockBytes) throw cut(path, at)
    const header = decodeTarHeader(bytes, at)
    if (!header) return
    const offset = at + tarBlockBytes
    const memberSize = Number(records.get('size') ?? header.sizeBytes)
    const end = offset + memberSize
    if (!Number.isSafeInteger(memberSize) || memberSize < 0 || end > sizeBytes) throw cut(path, at)
    if (header.type === 'x' || header.type === 'L') {
      if (memberSize > maxRecordBytes) throw damaged(path, at, 'a record of more than 1 MiB')
      const body = window(offset, memberSize)
      if (header.type === 'x') records = new Map([...records, ...decodePaxRecords(body)])
      else records.set('path', body.toString('utf8').replace(/\0+$/, ''))
    } else if (header.type !== 'g' && header.type !== 'K') {
      const name = records.get('path') ?? header.name
      if (header.type === '0' || header.type === '7')
        yield { name, offset, sizeBytes: memberSize, headerOffset }
      records = new Map()
    }
    at = end + tarPaddingBytes(memberSize)
    if (records.size === 0) headerOffset = at
  }
}

/** Small reads served from one buffer, since headers of small members lie close together. */
function createWindow(fd: number): (at: number, length: number) => Buffer {
  const buffer = Buffer.allocUnsafe(windowBytes)
  let start = 0
  let filled = 0
  return (at, length) => {
    if (length > windowBytes) {
      const large = Buffer.allocUnsafe(length)
      return large.subarray(0, readUpTo(fd, large, at))
    }
    if (at < start || at + length > start + filled) {
      start = at
      filled = readUpTo(fd, buffer, at)
    }
    return Buffer.from(buffer.subarray(at - start, Math.min(at - start + length, filled)))
  }
}

function cut(path: string, offset: number): TrawlError {
  return damaged(path, offset, 'the archive is cut')
}

function damaged(path: string, offset: number, reason: string): TrawlError {
  return new TrawlError('ERR_PACK_DAMAGED', `${path}: tar at byte ${offset}: ${reason}`, {
    context: { path, offset },
  })
}

function attempt<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}
