/** A running CRC-32C, in the shape of a Node hash. */
export interface Crc32c {
  update(chunk: Uint8Array): void
  digest(encoding: 'hex'): string
}

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), table-driven, eight bytes a step. */
export function createCrc32c(): Crc32c {
  let crc = 0xffffffff
  return {
    update(chunk) {
      crc = updateCrc(crc, chunk)
    },
    digest() {
      return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')
    },
  }
}

const tables = makeTables()

function updateCrc(start: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let crc = start
  let at = 0
  const at8 = bytes.length - 7
  const byte = (i: number): number => bytes[i] ?? 0
  const of = (table: Uint32Array, i: number): number => table[i] ?? 0
  for (; at < at8; at += 8) {
    crc ^= byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24)
    crc =
      of(t7, crc & 255) ^
      of(t6, (crc >>> 8) & 255) ^
      of(t5, (crc >>> 16) & 255) ^
      of(t4, crc >>> 24) ^
      of(t3, byte(at + 4)) ^
      of(t2, byte(at + 5)) ^
      of(t1, byte(at + 6)) ^
      of(t0, byte(at + 7))
  }
  for (; at < bytes.length; at++) crc = of(t0, (crc ^ byte(at)) & 255) ^ (crc >>> 8)
  return crc
}

type Tables = readonly [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
]

function makeTables(): Tables {
  const first = new Uint32Array(256)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    first[n] = crc >>> 0
  }
  const next = (table: Uint32Array): Uint32Array =>
    table.map((crc) => ((first[crc & 255] ?? 0) ^ (crc >>> 8)) >>> 0)
  const second = next(first)
  const third = next(second)
  const fourth = next(third)
  const fifth = next(fourth)
  const sixth = next(fifth)
  const seventh = next(sixth)
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)]
}
