const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/**
 * 128-bit MurmurHash3 (x86 variant, A. Appleby, public domain) over the UTF-16 code units of a text, as 32
 * hexadecimal characters. Not for secrets; it spreads names evenly and needs no Node module.
 */
export function murmur128(text: string): string {
  let h1 = 0x9747b28c
  let h2 = h1
  let h3 = h1
  let h4 = h1
  const length = text.length
  const blocks = length & ~7
  for (let i = 0; i < blocks; i += 8) {
    h1 = round(h1, pair(text, i), C1, C2, 15)
    h1 = Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b
    h2 = round(h2, pair(text, i + 2), C2, C3, 16)
    h2 = Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747
    h3 = round(h3, pair(text, i + 4), C3, C4, 17)
    h3 = Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35
    h4 = round(h4, pair(text, i + 6), C4, C1, 18)
    h4 = Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17
  }
  h4 = round(h4, pair(text, blocks + 6), C4, C1, 18)
  h3 = round(h3, pair(text, blocks + 4), C3, C4, 17)
  h2 = round(h2, pair(text, blocks + 2), C2, C3, 16)
  h1 = round(h1, pair(text, blocks), C1, C2, 15)
  return finish(h1, h2, h3, h4, length)
}

function finish(a: number, b: number, c: number, d: number, length: number): string {
  let h1 = a ^ length
  let h2 = b ^ length
  let h3 = c ^ length
  let h4 = d ^ length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = mix(h1)
  h2 = mix(h2)
  h3 = mix(h3)
  h4 = mix(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  return hex(h1) + hex(h2 + h1) + hex(h3 + h1) + hex(h4 + h1)
}

function pair(text: string, i: number): number {
  // charCodeAt past the end is NaN, which becomes 0.
  return text.charCodeAt(i) | 0 | (text.charCodeAt(i + 1) << 16)
}

function round(h: number, k: number, a: number, b: number, turn: number): number {
  return h ^ Math.imul(rotate(Math.imul(k, a), turn), b)
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

function mix(x: number): number {
  let h = x
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return h ^ (h >>> 16)
}

const byteHex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(x: number): string {
  return (
    (byteHex[x >>> 24] ?? '') +
    (byteHex[(x >>> 16) & 255] ?? '') +
    (byteHex[(x >>> 8) & 255] ?? '') +
    (byteHex[x & 255] ?? '')
  )
}
