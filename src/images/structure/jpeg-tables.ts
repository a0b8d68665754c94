/** One Huffman table of a JPEG, made for walking the code, not for its values. */
export interface WalkTable {
  /**
   * By the next 16 bits: length of code and value bits together in the low 5 bits, coefficients passed over
   * above them; 0 where no code begins like this.
   */
  readonly single: Uint16Array
  /** By the next 12 bits: as many whole codes as fit, summed in the same way; 0 where not even one fits. */
  readonly several: Uint16Array
}

/** Added to the coefficients passed over when the last code ended the block. */
export const END_OF_BLOCK = 128
/** How many bits index `several`. */
export const SEVERAL_BITS = 12

const SIXTEEN_ZEROS = 0xf0

/**
 * Builds the table from the counts of codes by length and the symbols (ITU-T T.81, annex C). Undefined when the
 * counts do not make a prefix code.
 */
export function buildWalkTable(counts: Uint8Array, symbols: Uint8Array, ac: boolean): WalkTable | undefined {
  const single = new Uint16Array(1 << 16)
  let code = 0
  let next = 0
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < (counts[length - 1] ?? 0); i++) {
      const symbol = symbols[next++]
      const span = 1 << (16 - length)
      if (symbol === undefined || (code + 1) * span > 1 << 16) return undefined
      const entry = ac ? acEntry(symbol, length) : (1 << 5) | (length + symbol)
      if (!ac && symbol > 15) return undefined
      single.fill(entry, code * span, (code + 1) * span)
      code++
    }
    code <<= 1
  }
  return { single, several: ac ? combine(single) : single }
}

function acEntry(symbol: number, length: number): number {
  const size = symbol & 15
  if (size > 0) return (((symbol >> 4) + 1) << 5) | (length + size)
  return ((symbol === SIXTEEN_ZEROS ? 16 : END_OF_BLOCK) << 5) | length
}

function combine(single: Uint16Array): Uint16Array {
  const several = new Uint16Array(1 << SEVERAL_BITS)
  const mask = several.length - 1
  for (let index = 0; index < several.length; index++) {
    let used = 0
    let passed = 0
    while (passed < END_OF_BLOCK) {
      const entry = single[((index << used) & mask) << (16 - SEVERAL_BITS)] ?? 0
      const length = entry & 31
      // Zeros shifted in behind the index are not known bits: a code must end before them.
      if (entry === 0 || used + length > SEVERAL_BITS || passed + (entry >>> 5) >= 2 * END_OF_BLOCK) break
      used += length
      passed += entry >>> 5
    }
    several[index] = used === 0 ? 0 : (passed << 5) | used
  }
  return several
}
