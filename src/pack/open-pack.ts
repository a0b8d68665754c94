import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import { TrawlError } from '../core/index.ts'
import { storageError } from '../storage/index.ts'
import { openEpub } from './epub/index.ts'
import { openFolder } from './folder/index.ts'
import type { PackReader } from './pack-writer.ts'
import { openPdf } from './pdf/index.ts'
import { openTarPack } from './tar/index.ts'
import { openZip, openZipPack } from './zip/index.ts'

export interface OpenPackOptions {
  readonly password?: string
}

const headBytes = 1024

/**
 * Opens a folder, ZIP, CBZ, EPUB, PDF or tar of images, by what it is and not by its name. Throws
 * ERR_PACK_UNSUPPORTED for other files, and what the readers throw.
 */
export async function openPack(path: string, options: OpenPackOptions = {}): Promise<PackReader> {
  const head = headOf(path)
  if (head === 'folder') return openFolder(path)
  const from = { path, ...options }
  const text = head.toString('latin1')
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
    if (await isEpub(path)) return await openEpub(from)
    return await openZipPack(extname(path).toLowerCase() === '.cbz' ? 'cbz' : 'zip', from)
  }
  if (text.includes('%PDF-')) return openPdf(from)
  if (text.slice(257, 262) === 'ustar') return openTarPack(path)
  throw new TrawlError('ERR_PACK_UNSUPPORTED', `${path}: ${whatItIs(text)} cannot be opened as a book`, {
    context: { path },
    hint: 'trawl opens folders, ZIP, CBZ, EPUB, PDF and tar. Unpack other archives first.',
  })
}

async function isEpub(path: string): Promise<boolean> {
  const archive = await openZip({ path })
  try {
    const entry = archive.entries.get('mimetype')
    if (!entry || entry.encrypted || entry.sizeBytes > headBytes) return false
    return archive.read(entry).toString('latin1').trim() === 'application/epub+zip'
  } finally {
    archive.close()
  }
}

function whatItIs(text: string): string {
  if (text.startsWith('Rar!')) return 'a RAR archive'
  return text.startsWith("7z\xbc\xaf'\x1c") ? 'a 7z archive' : 'this file'
}

function headOf(path: string): Buffer | 'folder' {
  try {
    if (statSync(path).isDirectory()) return 'folder'
    const fd = openSync(path, 'r')
    try {
      const head = Buffer.alloc(headBytes)
      return head.subarray(0, readSync(fd, head, 0, headBytes, 0))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}
