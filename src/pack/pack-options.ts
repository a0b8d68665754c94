import type { PartOptions } from './part-file/index.ts'
import type { PageSize } from './pdf/index.ts'

/** Formats of containers. */
export const packFormats = ['pdf', 'cbz', 'epub', 'zip', 'folder', 'long'] as const
export type PackFormat = (typeof packFormats)[number]

/** How a container is written. What a format has no use for is ignored, but never a password. */
export interface PackOptions extends PartOptions {
  /** Encrypts with AES-256. PDF and ZIP only: others throw ERR_PACK_UNSUPPORTED. */
  readonly password?: string
  /** PDF/A-2b. Not together with `password`: ERR_PACK_OPTIONS. */
  readonly pdfA?: boolean
  /** How many pages will come, where known: names get as many digits (four at least). */
  readonly pageCount?: number
  /** Time of making, in milliseconds since 1970, for formats that tell one. Same pages and options, same bytes. */
  readonly timeMs?: number
  /** PDF: `natural` by default. */
  readonly pageSize?: PageSize
  /** PDF: dots an inch where neither image nor source tells them; 150. */
  readonly defaultDpi?: number
  /** Formats that the container does not take are converted without loss, even where `auto` gives a JPEG. */
  readonly recode?: 'auto' | 'lossless'
  /** Of JPEGs that are made, 1 to 100; 92. */
  readonly jpegQuality?: number
  /** PDF: lays images with alpha on white. Some readers are slow with transparency. */
  readonly flatten?: boolean
  /** ZIP and folder: adds `ComicInfo.xml`, as CBZ always does. */
  readonly comicInfo?: boolean
}
