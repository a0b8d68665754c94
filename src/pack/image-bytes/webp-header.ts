import type { ImageBytes } from './image-bytes.ts'

/** True where the (first) image of a WebP is coded without loss: a `VP8L` chunk (RFC 9649, section 2). */
export function isLosslessWebp(image: ImageBytes): boolean {
  let at = 12
  while (at + 8 <= image.sizeBytes) {
    const head = image.bytes(at, 8)
    if (head.length < 8) return false
    const type = head.toString('latin1', 0, 4)
    if (type === 'VP8L') return true
    if (type === 'VP8 ') return false
    // The image of an animation frame lies 16 bytes into its chunk.
    const length = head.readUInt32LE(4)
    at += type === 'ANMF' ? 24 : 8 + length + (length % 2)
  }
  return false
}
