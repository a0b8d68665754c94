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
  /**
   * As stored: `orientation` has not been applied. AVIF, HEIC and JXL turn their pictures themselves, in every
   * decoder: there the size is the shown one and `orientation` is 1.
   */
  readonly widthPx: number
  readonly heightPx: number
  /** Colour channels, alpha not counted; 3 where the pixels are indices into a colour table. */
  readonly channels: number
  readonly alpha: boolean
  readonly bitDepth: number
  /** EXIF orientation, 1 to 8; 1 when there is none. */
  readonly orientation: number
  /** Frames or pages in the file; a lower bound where only the head was given. */
  readonly frames: number
  readonly progressive?: boolean
  /** Dots an inch from the header, where sane. */
  readonly dpi?: number
  readonly sizeBytes: number
  /** Pixels are indices into a colour table; `bitDepth` is that of the index. */
  readonly palette?: boolean
  /** An ICC profile is embedded. */
  readonly icc?: boolean
  /** The low half of the SOF marker: 0 baseline, 1 extended, 2 progressive, 3 lossless, 9 to 11 arithmetic. */
  readonly jpegProcess?: number
  /** Colour transform of the Adobe marker, where there is one: 0 none, 1 YCbCr, 2 YCCK. CMYK is then inverted. */
  readonly adobeTransform?: number
  /** How the colours of a JPEG of three components are sampled, such as 4:4:4 or 4:2:0. */
  readonly chroma?: string
  /** A JPEG with further pictures behind its end (MPO of phones and 3-D cameras); they are not frames of it. */
  readonly multiPicture?: boolean
  /** Known for WebP: true when no colour was thrown away by the encoder's last step. */
  readonly lossless?: boolean
}

/** Width and height as a reader sees them, EXIF orientation applied. */
export function shownSize(facts: ImageFacts): { readonly widthPx: number; readonly heightPx: number } {
  return facts.orientation >= 5
    ? { widthPx: facts.heightPx, heightPx: facts.widthPx }
    : { widthPx: facts.widthPx, heightPx: facts.heightPx }
}
