/**
 * CRC-32 of two pieces put together, from the CRC of each and the length of the second: the second's polynomial is
 * shifted by squaring a matrix over GF(2), as in zlib's crc32_combine (M. Adler).
 */
export function combineCrc32(first: number, second: number, secondLengthBytes: number): number {
  if (secondLengthBytes <= 0) return first >>> 0
  let odd = new Uint32Array(32)
  odd[0] = 0xedb88320
  for (let bit = 1; bit < 32; bit++) odd[bit] = 1 << (bit - 1)
  let even = square(odd)
  odd = square(even)
  let crc = first
  let length = secondLengthBytes
  for (;;) {
    even = square(odd)
    if (length % 2 === 1) crc = times(even, crc)
    length = Math.floor(length / 2)
    if (length === 0) break
    odd = square(even)
    if (length % 2 === 1) crc = times(odd, crc)
    length = Math.floor(length / 2)
    if (length === 0) break
  }
  return (crc ^ second) >>> 0
}

function times(matrix: Uint32Array, vector: number): number {
  let sum = 0
  let rest = vector >>> 0
  for (let row = 0; rest !== 0; row++, rest >>>= 1) if (rest & 1) sum ^= matrix[row] ?? 0
  return sum >>> 0
}

function square(matrix: Uint32Array): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: 32 }, (_, row) => times(matrix, matrix[row] ?? 0))
}
