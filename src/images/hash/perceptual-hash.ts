import { asBuffer } from '../bytes/byte-source.ts'
import { imageError } from '../decode/image-error.ts'
import { loadSharp } from '../decode/load-sharp.ts'
import { fromRaw } from '../transform/decode-canvas.ts'
import type { RawImage } from '../transform/raw-image.ts'

/**
 * `dhash`: whether each pixel of a 9 x 8 grey image is darker than the one to its right. `phash`: which of the 64
 * slowest waves of a 32 x 32 grey image are stronger than their median; it stands more changes and costs a little more.
 */
export type PerceptualHashKind = 'dhash' | 'phash'

const WAVES = 8
const PHASH_SIDE = 32

/**
 * A 64-bit hash, as 16 hexadecimal characters, that hardly changes when an image is scaled or encoded anew. Throws
 * ERR_IMAGE_DAMAGED and ERR_IMAGE_UNSUPPORTED.
 */
export async function perceptualHash(
  image: Uint8Array | RawImage,
  kind: PerceptualHashKind = 'dhash',
): Promise<string> {
  const [width, height] = kind === 'dhash' ? [9, 8] : [PHASH_SIDE, PHASH_SIDE]
  const sharp = await loadSharp()
  const source =
    image instanceof Uint8Array
      ? sharp(asBuffer(image), { failOn: 'truncated', autoOrient: true })
      : fromRaw(sharp, image)
  try {
    const grey = await source
      .flatten({ background: '#ffffff' })
      .toColourspace('b-w')
      .resize(width, height, { fit: 'fill' })
      .raw()
      .toBuffer()
    return toHex(kind === 'dhash' ? differences(grey) : strongWaves(grey))
  } catch (error) {
    throw imageError(error, { name: 'the image', doing: 'decode' })
  }
}

/** In how many of their 64 bits two hashes differ. */
export function hammingDistance(a: string, b: string): number {
  let bits = BigInt(`0x${a}`) ^ BigInt(`0x${b}`)
  let count = 0
  for (; bits > 0n; bits &= bits - 1n) count++
  return count
}

function differences(grey: Buffer): boolean[] {
  const bits: boolean[] = []
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) bits.push((grey[y * 9 + x] ?? 0) < (grey[y * 9 + x + 1] ?? 0))
  }
  return bits
}

function strongWaves(grey: Buffer): boolean[] {
  const rows = waves(Float64Array.from(grey), PHASH_SIDE)
  const both = waves(transpose(rows, WAVES, PHASH_SIDE), WAVES)
  // The first wave is the mean brightness; it would only shift the median.
  const sorted = both.slice(1).toSorted()
  const median = ((sorted[31] ?? 0) + (sorted[30] ?? 0)) / 2
  return [...both].map((strength) => strength > median)
}

/** The eight slowest waves (DCT-II) of each of `count` rows of 32 values. */
function waves(values: Float64Array, count: number): Float64Array {
  const out = new Float64Array(count * WAVES)
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < WAVES; k++) {
      let sum = 0
      for (let i = 0; i < PHASH_SIDE; i++) {
        sum += (values[row * PHASH_SIDE + i] ?? 0) * Math.cos((Math.PI / PHASH_SIDE) * (i + 0.5) * k)
      }
      out[row * WAVES + k] = sum
    }
  }
  return out
}

function transpose(values: Float64Array, columns: number, rows: number): Float64Array {
  const out = new Float64Array(values.length)
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) out[x * rows + y] = values[y * columns + x] ?? 0
  }
  return out
}

function toHex(bits: readonly boolean[]): string {
  let value = 0n
  for (const bit of bits) value = (value << 1n) | (bit ? 1n : 0n)
  return value.toString(16).padStart(16, '0')
}
