import { createHash } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openPack } from '../pack/index.ts'
import type { BookRecord, ContainerRecord, PageRecord } from './book-record.ts'
import { absoluteOf, stands } from './publish-book.ts'

interface Kept {
  readonly page: PageRecord
  readonly sources: readonly { readonly container: ContainerRecord; readonly at: number }[]
}

/**
 * Originals that stand in the containers of a work, found by the offsets of its record: copied into the folder `into` when their
 * SHA-256 is right. Gives the path of the copy, or undefined where the page must be fetched.
 */
export function createKeptPages(
  record: BookRecord | undefined,
  options: {
    /** Absolute output folder. */
    readonly dir: string
    readonly into: string
    /** SHA-256 of images that are no pages: they are not kept. */
    readonly refused: readonly string[]
  },
): (key: string) => Promise<string | undefined> {
  const { dir, into } = options
  const refused = new Set(options.refused.map((digest) => digest.toLowerCase()))
  if (!record) return () => Promise.resolve(undefined)
  const kept = new Map<string, Kept>()
  const containers = record.containers.filter((container) => stands(container, dir))
  let at = 0
  for (const page of record.pages) {
    const first = at
    at += page.parts
    if (page.missing || page.sha256 === undefined || page.parts !== 1 || refused.has(page.sha256)) continue
    const sources = containers.flatMap((container) => {
      const place = container.pages[first]
      return place?.verbatim === true && place.length > 0 ? [{ container, at: first }] : []
    })
    if (sources.length > 0) kept.set(page.key, { page, sources })
  }
  return async (key) => {
    const found = kept.get(key)
    if (!found) return undefined
    for (const { container, at: index } of found.sources) {
      const bytes = await readPacked(container, index, dir).catch(() => undefined)
      if (!bytes || sha256(bytes) !== found.page.sha256) continue
      mkdirSync(into, { recursive: true })
      const path = join(into, key)
      await writeFile(`${path}.part`, bytes)
      renameSync(`${path}.part`, path)
      return path
    }
    return undefined
  }
}

/** The bytes of a packed page. Throws what reading throws. */
export async function readPacked(
  container: ContainerRecord,
  index: number,
  dir: string,
): Promise<Buffer | undefined> {
  const place = container.pages[index]
  if (!place) return undefined
  const path = absoluteOf(container.path, dir)
  if (container.format === 'folder') return readFolderPage(path, index)
  const handle = await open(path, 'r')
  try {
    const bytes = Buffer.alloc(place.length)
    const { bytesRead } = await handle.read(bytes, 0, place.length, place.offset)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function readFolderPage(path: string, index: number): Promise<Buffer | undefined> {
  const reader = await openPack(path)
  try {
    let at = 0
    for await (const page of reader.pages()) {
      if (at++ === index) return page.path === undefined ? await page.read() : await readFile(page.path)
    }
    return undefined
  } finally {
    await reader.close()
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
