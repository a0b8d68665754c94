import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path'
import type { PackCommandOptions } from '../config/index.ts'
import { toTrawlError, TrawlError, type BookMetadata } from '../core/index.ts'
import { checkImage, transformPage, type PagePlan } from '../images/index.ts'
import {
  createPackFan,
  createPackWriter,
  openPack,
  repack,
  type PackedPage,
  type PackFan,
  type PackPage,
  type PackReader,
} from '../pack/index.ts'
import { parseSelection } from '../sources/index.ts'
import { storageReason } from '../storage/index.ts'
import { readMetadataFile } from './metadata-file.ts'
import { passwordOf } from './password.ts'
import { changesPages, packOptionsOf, pagePlanOf } from './page-settings.ts'
import { claimFinalPath, containerExtensions } from './publish-book.ts'

/** A container that was made of another. */
export interface RepackedBook {
  /** Absolute. */
  readonly path: string
  readonly pages: number
}

/**
 * Packs a folder or archive of images again, without downloading: the same pages in the same order, transformed where
 * the options say so. With `dryRun` nothing is written; what `onExists` skips is left out. Throws ERR_INPUT_UNREADABLE,
 * ERR_PACK_*, ERR_IMAGE_* naming the page, ERR_EXISTS, ERR_CANCELLED and storage errors; then nothing was made.
 */
export async function repackBook(
  input: string,
  options: PackCommandOptions,
  run: { readonly signal?: AbortSignal } = {},
): Promise<readonly RepackedBook[]> {
  const password = passwordOf(options)
  const path = resolve(input)
  requirePath(path)
  const { openPasswordFile: passwordFile } = options
  const opens = passwordFile === undefined ? password : passwordOf({ passwordFile })
  const reader = await openPack(path, opens === undefined ? {} : { password: opens })
  const title = options.title ?? reader.metadata.title ?? titleOf(path)
  const dir = mkdtempSync(join(tmpdir(), 'trawl-pack-'))
  try {
    const plan = pagePlanOf(options, options.direction ?? reader.metadata.direction)
    const common = packOptionsOf(options, password)
    const rules = {
      dir: resolve(options.dir),
      onExists: options.onExists,
      durability: options.durability,
      ours: [],
    }
    const finals = options.formats.flatMap((format) => {
      const final = claimFinalPath(wantedPath(options, title, containerExtensions[format]), rules)
      return final === undefined ? [] : [{ format, final }]
    })
    if (finals.length === 0) return []
    if (options.dryRun) {
      const { length: pages } = await Array.fromAsync(selected(reader, options.pages).pages())
      return finals.map(({ final }) => ({ path: final, pages }))
    }
    const writers = finals.map(({ format, final }) => {
      mkdirSync(dirname(final), { recursive: true })
      return createPackWriter(format, { ...common, path: final, replace: options.onExists === 'overwrite' })
    })
    let pages = 0
    const fan = preparing(createPackFan(writers), { plan, dir, check: options.check, ...run })
    const override: Partial<BookMetadata> = {
      ...(options.metadata === undefined ? {} : await readMetadataFile(options.metadata)),
      ...(options.title === undefined ? {} : { title: options.title }),
      ...(options.author === undefined || options.author.length === 0 ? {} : { authors: options.author }),
      ...(options.direction === undefined ? {} : { direction: options.direction }),
    }
    const files = await repack(selected(reader, options.pages), fan, {
      metadata: { title },
      override,
      tempDir: dir,
      onPage: (done) => {
        pages = done
      },
      ...run,
    })
    return files.map((file) => ({ path: file.path, pages }))
  } finally {
    await reader.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Throws ERR_INPUT_UNREADABLE where there is nothing. */
function requirePath(path: string): void {
  try {
    statSync(path)
  } catch (cause) {
    const message = `cannot read ${path}: ${storageReason(cause)}`
    throw new TrawlError('ERR_INPUT_UNREADABLE', message, { cause, context: { path } })
  }
}

function titleOf(path: string): string {
  return basename(path, extname(path))
}

function wantedPath(options: PackCommandOptions, title: string, extension: string): string {
  const { out, dir } = options
  const name = out ?? title.replaceAll(/[\\/]/g, '_')
  const path = isAbsolute(name) ? name : join(resolve(dir), name)
  const known = Object.values(containerExtensions).find(
    (one) => one !== '' && path.toLowerCase().endsWith(one),
  )
  // The one file is called as it was asked to be.
  if (out !== undefined && options.formats.length === 1) return path
  return `${known === undefined ? path : path.slice(0, -known.length)}${extension}`
}

function selected(reader: PackReader, pages: string | undefined): PackReader {
  if (pages === undefined) return reader
  const selection = parseSelection(pages, '--pages')
  return {
    format: reader.format,
    metadata: reader.metadata,
    close: () => reader.close(),
    async *pages() {
      const all = await Array.fromAsync(reader.pages())
      for (const [i, page] of all.entries()) if (selection.has(i + 1, all.length)) yield page
    },
  }
}

/** Checks and transforms pages before they are packed. */
function preparing(
  fan: PackFan,
  how: {
    readonly plan: PagePlan
    readonly dir: string
    readonly check: PackCommandOptions['check']
    readonly signal?: AbortSignal
  },
): PackFan {
  const changes = changesPages(how.plan)
  if (!changes && how.check === 'none') return fan
  const options = how.signal ? { signal: how.signal } : {}
  let packed = 0
  return {
    holdsPages: fan.holdsPages,
    finish: (metadata) => fan.finish(metadata),
    abort: () => fan.abort(),
    async add(page: PackPage): Promise<readonly PackedPage[]> {
      try {
        if (how.check !== 'none') await checkImage(page.path, { level: how.check, ...options })
        const parts = changes
          ? await transformPage(page.path, how.plan, { dir: how.dir, name: `t${page.index}` }, options)
          : [page]
        const { chapters: _, digest: __, ...bare } = page
        let places: readonly PackedPage[] = []
        for (const [i, part] of parts.entries()) {
          const { path, facts } = part
          places = await fan.add({ ...(i === 0 ? page : bare), path, facts, index: packed++ })
          if (changes && !fan.holdsPages) rmSync(path, { force: true })
        }
        return places
      } catch (thrown) {
        const error = toTrawlError(thrown)
        throw new TrawlError(error.code, `page ${page.index + 1}: ${error.message}`, {
          cause: error,
          hint: error.hint,
        })
      }
    },
  }
}
