import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toTrawlError, TrawlError } from '../core/index.ts'
import { openPack } from '../pack/index.ts'
import { stateFolderName } from '../storage/index.ts'
import { readBookRecord, writeBookRecord, type BookRecord, type ContainerRecord } from './book-record.ts'
import { readPacked } from './kept-pages.ts'
import { absoluteOf, stands } from './publish-book.ts'

/** Something that is not as its record says. */
export interface BookFault {
  readonly path: string
  /** From 1, where it is one page. */
  readonly page?: number
  readonly error: TrawlError
}

/** What was looked at of one container. */
export interface VerifiedBook {
  readonly path: string
  readonly pages: number
  /** Pages whose bytes were compared by SHA-256; the others were only read. */
  readonly compared: number
  readonly faults: readonly BookFault[]
}

/**
 * Checks the containers of an output folder by their records: length, that the container opens and has its pages, and
 * the SHA-256 of every page that lies in it untouched. A record with faults is marked, so that the next run of the book
 * job mends the work: good pages are taken out of the container, the others fetched. A record that cannot be read is a
 * fault too; a container that needs a password is one that marks nothing. Throws ERR_FORMAT_NEWER and storage errors.
 */
export async function* verifyBooks(
  dir: string,
  options: { readonly password?: string | undefined; readonly only?: string } = {},
): AsyncGenerator<VerifiedBook, void, undefined> {
  const root = resolve(dir)
  const folder = join(root, stateFolderName, 'books')
  for (const name of namesIn(folder)) {
    const recordPath = join(folder, name)
    const record = readBookRecord(recordPath)
    if (!record) {
      if (options.only === undefined) yield damagedRecord(recordPath)
      continue
    }
    let faulty = false
    for (const container of record.containers) {
      const path = absoluteOf(container.path, root)
      if (options.only === undefined || resolve(options.only) === path) {
        const verified = await verifyContainer(record, container, { root, path, password: options.password })
        faulty ||= verified.faults.some(({ error }) => error.code !== 'ERR_PACK_PASSWORD')
        yield verified
      }
    }
    if (faulty && record.state === 'done') writeBookRecord(recordPath, { ...record, state: 'faulty' })
  }
}

/** Without its record nothing is known of a book, not even that it is there. */
function damagedRecord(path: string): VerifiedBook {
  const error = new TrawlError('ERR_VERIFY_FAILED', `${path}: the record of a book cannot be read`, {
    context: { path },
    hint: 'Run the same command that made the book: it is made anew under a name of its own.',
  })
  return { path, pages: 0, compared: 0, faults: [{ path, error }] }
}

async function verifyContainer(
  record: BookRecord,
  container: ContainerRecord,
  at: { readonly root: string; readonly path: string; readonly password: string | undefined },
): Promise<VerifiedBook> {
  const { root, path } = at
  const faults: BookFault[] = []
  const fault = (message: string, page?: number): void => {
    const error = new TrawlError('ERR_VERIFY_FAILED', message, { context: { path }, hint: repairHint })
    faults.push({ path, error, ...(page === undefined ? {} : { page }) })
  }
  let compared = 0
  if (!stands(container, root)) fault(`${path}: it is not there, or its length is not ${container.sizeBytes}`)
  else {
    await readBack(container, path, at.password).catch((thrown: unknown) => {
      const error = toTrawlError(thrown)
      // Nothing is known of the book then, so nothing is wrong with it.
      if (error.code === 'ERR_PACK_PASSWORD') faults.push({ path, error })
      else fault(error.message)
    })
    let index = 0
    for (const [number, page] of record.pages.entries()) {
      const place = container.pages[index]
      index += page.parts
      if (page.sha256 === undefined || page.parts !== 1 || place?.verbatim !== true || place.length === 0)
        continue
      const bytes = await readPacked(container, index - 1, root).catch(() => undefined)
      compared++
      if (!bytes || createHash('sha256').update(bytes).digest('hex') !== page.sha256) {
        fault(`${path}: page ${number + 1} is not what was downloaded`, number + 1)
      }
    }
  }
  return { path, pages: record.pages.length, compared, faults }
}

const repairHint = 'Make the book again with the same command: only broken pages are fetched.'

async function readBack(
  container: ContainerRecord,
  path: string,
  password: string | undefined,
): Promise<void> {
  if (container.format === 'long') {
    await readFile(path)
    return
  }
  const reader = await openPack(path, password === undefined ? {} : { password })
  try {
    let count = 0
    for await (const page of reader.pages()) {
      if (container.format !== 'pdf') await page.read()
      count++
    }
    if (count !== container.pages.length) {
      throw new TrawlError(
        'ERR_VERIFY_FAILED',
        `${path}: ${count} pages instead of ${container.pages.length}`,
      )
    }
  } finally {
    await reader.close()
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
  } catch {
    return []
  }
}
