export type ImageFormat =
  | 'jpeg'
  | 'png'
  | 'webp'
  | 'gif'
  | 'avif'
  | 'heic'
  | 'tiff'
  | 'jp2'
  | 'jxl'
  | 'svg'
  | 'bmp'

/** What the header of an image says; nothing has been decoded. */
export interface ImageFacts {
  readonly format: ImageFormat
  readonly widthPx: number
  readonly heightPx: number
  /** Colour channels, alpha not counted. */
  readonly channels: number
  readonly alpha: boolean
  readonly bitDepth: number
  /** EXIF orientation, 1 to 8; 1 when there is none. */
  readonly orientation: number
  /** Frames or pages in the file. */
  readonly frames: number
  readonly progressive?: boolean
  /** Dots an inch from the header, where sane. */
  readonly dpi?: number
  readonly sizeBytes: number
}
