/** Decoded pixels, row by row from the top, channels interleaved. */
export interface RawImage {
  readonly pixels: Buffer
  readonly widthPx: number
  readonly heightPx: number
  readonly channels: 1 | 2 | 3 | 4
  readonly bytesPerSample: 1 | 2
}

export function rowBytes(image: RawImage): number {
  return image.widthPx * image.channels * image.bytesPerSample
}
