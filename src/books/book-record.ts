import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formats, TrawlError, type BookMetadata, type Chapter, type ErrorData } from '../core/index.ts'
import type { CheckLevel, ImageFormat } from '../images/index.ts'
import type { PackFormat } from '../pack/index.ts'
import { stateFolderName, storageError } from '../storage/index.ts'

/** A page of the record. */
export interface PageRecord {
  /** Identity of what the source lists, stable over runs. */
  readonly key: string
  readonly url: string
  readonly label?: string
  readonly chapters?: readonly Chapter[]
  /** Set where the page is missing; then nothing below is. */
  readonly missing?: ErrorData
  /** Of the original, lower-case hexadecimal. */
  readonly sha256?: string
  readonly sizeBytes?: number
  readonly format?: ImageFormat
  readonly widthPx?: number
  readonly heightPx?: number
  /** How far it was really checked. */
  readonly checked?: CheckLevel
  readonly suspicious?: readonly string[]
  /** Pages of the container that it became: none when it was left out, several where it was cut. */
  readonly parts: number
}

/** A finished file. */
export interface ContainerRecord {
  readonly format: PackFormat
  /** Relative to the output folder, or absolute where it lies elsewhere. */
  readonly path: string
  readonly sizeBytes: number
  /** Of each packed page; `length` 0 where it cannot be told. */
  readonly pages: readonly { readonly offset: number; readonly length: number; readonly verbatim: boolean }[]
}

/** What was made of a work: version 1, see docs/formats.md. */
export interface BookRecord {
  readonly format: 'trawl-book'
  readonly version: number
  readonly id: string
  /**
   * `publishing` is written before the containers get their names, so that a killed run knows its own files; `faulty`
   * when a check found fault with one, so that the next run mends it.
   */
  readonly state: 'publishing' | 'done' | 'faulty'
  readonly source: string
  readonly input: string
  readonly metadata: BookMetadata
  /** Hash of all settings that change what is made. */
  readonly settings: string
  readonly partial: 'strict' | 'placeholder' | 'skip'
  readonly pages: readonly PageRecord[]
  readonly containers: readonly ContainerRecord[]
  /** What was odd about the pages as a whole. */
  readonly notes?: readonly string[]
  /** Set where several pages are one image that is likely to be no page. */
  readonly suspect?: boolean
  readonly finishedMs: number
}

/** Where the record of a work lies. */
export function bookRecordPath(dir: string, id: string): string {
  return join(dir, stateFolderName, 'books', `${id}.json`)
}

/**
 * The record of a work; undefined where there is none or it is damaged. Throws ERR_FORMAT_NEWER and storage errors.
 */
export function readBookRecord(path: string): BookRecord | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw storageError(error, { path, doing: 'read' })
  }
  let found: Partial<BookRecord>
  try {
    found = JSON.parse(text) as Partial<BookRecord>
  } catch {
    return undefined
  }
  if (typeof found !== 'object' || found === null || found.format !== 'trawl-book') return undefined
  if (typeof found.version === 'number' && found.version > formats.bookRecord) {
    throw new TrawlError('ERR_FORMAT_NEWER', `${path}: written by a newer trawl`, { context: { path } })
  }
  return Array.isArray(found.pages) && Array.isArray(found.containers) ? (found as BookRecord) : undefined
}

/** Writes a record whole or not at all. Throws storage errors. */
export function writeBookRecord(path: string, record: BookRecord): void {
  const part = `${path}.part`
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(part, `${JSON.stringify(record)}\n`, { flush: true })
    renameSync(part, path)
  } catch (error) {
    throw storageError(error, { path, doing: 'write' })
  }
}
