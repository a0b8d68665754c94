import type { DecodePool } from '../decode/decode-pool.ts'

/**
 * How a picture gets its size, as img2dataset names it: not at all; longest side, then a white square; shortest side;
 * longest side; shortest side, then the middle square.
 */
export type ResizeMode = 'no' | 'border' | 'keep_ratio' | 'keep_ratio_largest' | 'center_crop'

export type Interpolation = 'nearest' | 'linear' | 'cubic' | 'area' | 'lanczos'

/** Left, top, right and bottom, from 0 to 1 of the shown picture. */
export type Box = readonly [number, number, number, number]

/** Which pictures are left out; judged by the header, before anything is decoded. */
export interface SampleFilters {
  /** Shorter side at least. */
  readonly minImageSizePx?: number
  /** Width times height at most. */
  readonly maxImageAreaPx?: number
  /** Longer side at most so many times the shorter. */
  readonly maxAspectRatio?: number
}

export interface SampleOptions extends SampleFilters {
  readonly sizePx: number
  readonly mode: ResizeMode
  /** Leaves pictures that are not larger exactly as they are: neither cropped nor padded. */
  readonly onlyIfBigger?: boolean
  readonly encode: 'jpg' | 'png' | 'webp'
  /** 0 to 100, default 95; for PNG the compression from 0 to 9, default 6. */
  readonly quality?: number
  /** Default `lanczos`. */
  readonly upscale?: Interpolation
  /** Default `area`. */
  readonly downscale?: Interpolation
  /** Turn as EXIF says; default true. img2dataset does not. */
  readonly orient?: boolean
  readonly blurBoxes?: readonly Box[]
  /** Keep the bytes of a picture that needs no change. It is decoded all the same, to see that it is whole. */
  readonly keepOriginalIfUntouched?: boolean
  readonly maxPixels?: number
  readonly pool?: DecodePool
  readonly signal?: AbortSignal
}

/** A sample ready for its shard. */
export interface ResizedSample {
  readonly bytes: Buffer
  readonly widthPx: number
  readonly heightPx: number
  /** Size of the shown original; as stored where `orient` is off. */
  readonly originalWidthPx: number
  readonly originalHeightPx: number
  /** False when `bytes` are the original's. */
  readonly reencoded: boolean
}
