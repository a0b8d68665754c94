import type { Digest } from './digest.ts'
import type { ErrorData } from './errors/index.ts'
import type { Locator } from './task.ts'

/** What is known about a work. People are in the order of the source. All fields may be overridden by the user. */
export interface BookMetadata {
  readonly title: string
  readonly series?: string
  /** A string: "10.5" is a number of a chapter. */
  readonly number?: string
  readonly volume?: number
  readonly authors?: readonly string[]
  readonly artists?: readonly string[]
  readonly translators?: readonly string[]
  readonly publisher?: string
  /** BCP 47. */
  readonly language?: string
  readonly direction?: 'ltr' | 'rtl' | 'ttb'
  /** ISO 8601, as far as known: 1899, 1899-05 or 1899-05-07. */
  readonly date?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly rights?: string
  readonly attribution?: string
  /** Where the work may be seen. */
  readonly source?: string
  readonly identifier?: string
  /** Further label and value pairs of the source. */
  readonly extra?: readonly { readonly label: string; readonly value: string }[]
}

/**
 * One page wanted. It has one of `locator`, `localPath` and `layers`, or none of them where the source lists a page
 * that has no image, or, with `fault`, no address that can be used: the page keeps its place all the same.
 */
export interface Page {
  readonly locator?: Locator
  /** Absolute path of an image that is on this machine already. */
  readonly localPath?: string
  /** What stands in the place of an address, and why it is none. */
  readonly fault?: { readonly text: string; readonly error: ErrorData }
  /** The printed or given label, such as "iv" or "[cover]". */
  readonly label?: string
  readonly expectedWidthPx?: number
  readonly expectedHeightPx?: number
  readonly expectedSizeBytes?: number
  readonly digests?: readonly Digest[]
  readonly headers?: Readonly<Record<string, string>>
  /** Dots an inch of the scan, where the source knows. */
  readonly dpi?: number
  /**
   * Composition of several images, or of the tiles of one, in painting order. The canvas they lie on is
   * `expectedWidthPx` by `expectedHeightPx`, always given with layers.
   */
  readonly layers?: readonly PageLayer[]
}

/** One image of a composed page; place and size in pixels of the canvas. An image of another size is scaled. */
export interface PageLayer {
  readonly locator: Locator
  readonly x: number
  readonly y: number
  readonly widthPx: number
  readonly heightPx: number
  /** The part of the image to take, as fractions (0 to 1) of its width and height; the whole when absent. */
  readonly crop?: {
    readonly x: number
    readonly y: number
    readonly width: number
    readonly height: number
  }
}

/** A run of pages under one heading; becomes an outline entry. `depth` 0 is the top. */
export interface Chapter {
  readonly id: string
  readonly title: string
  readonly number?: string
  readonly volume?: number
  readonly depth: number
}

/** A work to be packed. Its chapters and pages come lazily from the source. */
export interface Book {
  readonly id: string
  readonly metadata: BookMetadata
  readonly pageCount?: number
}
