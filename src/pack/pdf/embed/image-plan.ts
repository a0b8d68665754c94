import type { StreamPart } from '../../image-bytes/index.ts'

/** The colours of an image object. */
export interface ColourPlan {
  /** `none` where the image data says it itself, as JPEG 2000 files do. */
  readonly space: 'DeviceGray' | 'DeviceRGB' | 'DeviceCMYK' | 'none'
  /** Takes the place of `space`. */
  readonly icc?: Buffer
  /** RGB triples: samples are indices into it. */
  readonly palette?: Buffer
}

/** An image as it will stand in the PDF; nothing has been written yet. */
export interface ImagePlan {
  readonly widthPx: number
  readonly heightPx: number
  /** Absent for JPEG 2000, which says it itself. */
  readonly bitDepth?: number
  readonly colour: ColourPlan
  /** Further dictionary entries: filter, its parameters, decode array, colour key. */
  readonly entries: string
  readonly data: readonly StreamPart[]
  /** Opacity, as a grey image. */
  readonly alpha?: ImagePlan
  /** The data are the whole file as it came. */
  readonly verbatim: boolean
}

export interface EmbedOptions {
  /** PDF/A-2b: colours must be told, and JPEG 2000 only of the kinds that the standard allows. */
  readonly pdfA: boolean
  /** Formats that have to be decoded go in without loss, where `auto` makes a JPEG of those that lost already. */
  readonly recode: 'auto' | 'lossless'
  /** Of those JPEGs, 1 to 100. */
  readonly jpegQuality: number
  /** Lays images with alpha on white. */
  readonly flatten: boolean
}
