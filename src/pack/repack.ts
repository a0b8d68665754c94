import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { TrawlError, type BookMetadata } from '../core/index.ts'
import { probeImage, probeImageFile, type ImageFacts } from '../images/index.ts'
import { storageError } from '../storage/index.ts'
import type { PackFan } from './create-pack-fan.ts'
import type { PackedFile, PackReader, ReadPage } from './pack-writer.ts'

export interface RepackOptions {
  /** Used where the container says nothing else; `title` is needed there. */
  readonly metadata: BookMetadata
  /** Takes the place of what the container says. */
  readonly override?: Partial<BookMetadata>
  /** Where pages of archives lie while they are packed; the folder for temporary files of the system. */
  readonly tempDir?: string
  /** Called after each page with how many are done. */
  readonly onPage?: (done: number) => void
  readonly signal?: AbortSignal
}

/**
 * Packs the pages of a container again, without downloading: in order, with their labels and chapters. When it fails
 * or is cancelled, the writers are aborted and nothing is left. Throws ERR_IMAGE_UNSUPPORTED for a page that is no
 * image, ERR_CANCELLED, and what reader and writers throw.
 */
export async function repack(
  reader: PackReader,
  writers: PackFan,
  options: RepackOptions,
): Promise<readonly PackedFile[]> {
  const dir = await mkdtemp(join(options.tempDir ?? tmpdir(), 'trawl-repack-')).catch((error: unknown) => {
    throw storageError(error, { path: options.tempDir ?? tmpdir(), doing: 'create a folder in' })
  })
  try {
    let index = 0
    for await (const page of reader.pages()) {
      if (options.signal?.aborted === true) throw new TrawlError('ERR_CANCELLED', 'packing was cancelled')
      await addPage(writers, page, { dir, index: index++ })
      options.onPage?.(index)
    }
    return await writers.finish({ ...options.metadata, ...reader.metadata, ...options.override })
  } catch (error) {
    await writers.abort()
    throw error
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function addPage(
  writers: PackFan,
  page: ReadPage,
  place: { dir: string; index: number },
): Promise<void> {
  const path = page.path ?? join(place.dir, `${place.index}${extname(page.name)}`)
  if (page.path === undefined) {
    const bytes = await page.read()
    await writeFile(path, bytes).catch((error: unknown) => {
      throw storageError(error, { path, doing: 'write' })
    })
  }
  const facts = await probePage(path)
  if (!facts)
    throw new TrawlError('ERR_IMAGE_UNSUPPORTED', `${page.name} is no image`, {
      context: { path: page.name },
    })
  await writers.add({
    path,
    facts,
    index: place.index,
    ...(page.label === undefined ? {} : { label: page.label }),
    ...(page.chapters === undefined ? {} : { chapters: page.chapters }),
  })
  if (page.path === undefined && !writers.holdsPages) await rm(path, { force: true })
}

const head = Buffer.alloc(64 * 1024)

/**
 * Facts of an image file. What matters of a JPEG stands in its head, which is read in the event loop: for thousands
 * of pages that are in the memory of the system this is several times quicker.
 */
async function probePage(path: string): Promise<ImageFacts | undefined> {
  try {
    const fd = openSync(path, 'r')
    try {
      const count = readSync(fd, head, 0, head.length, 0)
      const facts = probeImage(head.subarray(0, count), fstatSync(fd).size)
      if (facts?.format === 'jpeg') return facts
    } finally {
      closeSync(fd)
    }
    return await probeImageFile(path)
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}
