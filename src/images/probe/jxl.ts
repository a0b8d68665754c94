import type { HeaderBytes } from '../bytes/header-bytes.ts'
import type { FactsDraft } from './facts-draft.ts'
import { isoBoxes } from './iso-boxes.ts'

// Width as a multiple of the height, by the three ratio bits of SizeHeader.
const ratios = [0, 1, 1.2, 4 / 3, 1.5, 16 / 9, 1.25, 2] as const

/** JPEG XL (ISO/IEC 18181-1 annex D, 18181-2 for the container): size, depth, alpha. No decoder ships with trawl. */
export function probeJxl(bytes: HeaderBytes, draft: FactsDraft): void {
  if (bytes.u16(0) === 0xff0a) return readCodestream(bytes, 2, draft)
  for (const box of isoBoxes(bytes, 0, bytes.sizeBytes)) {
    // A partial codestream box starts with its number.
    if (box.type === 'jxlc') return readCodestream(bytes, box.data + 2, draft)
    if (box.type === 'jxlp') return readCodestream(bytes, box.data + 6, draft)
  }
}

function readCodestream(bytes: HeaderBytes, at: number, draft: FactsDraft): void {
  const bits = bitReader(bytes, at)
  const [width, height] = readSize(bits)
  let turned = false
  if (bits(1) === 0) {
    if (bits(1) === 1) turned = readExtraFields(bits, draft)
    readDepth(bits, draft)
    bits(1)
    const extra = choose(bits, [0, 0, 4, 12], [0, 1, 2, 1])
    // The first extra channel: all defaults means alpha; else its kind, where 0 is alpha.
    if (extra > 0) draft.alpha = bits(1) === 1 || choose(bits, [0, 0, 4, 6], [0, 1, 2, 18]) === 0
  }
  draft.heightPx = turned ? width : height
  draft.widthPx = turned ? height : width
}

type Bits = (count: number) => number

function bitReader(bytes: HeaderBytes, start: number): Bits {
  let position = 0
  return (count) => {
    let value = 0
    for (let i = 0; i < count; i++, position++) {
      value += ((bytes.u8(start + (position >> 3)) >> (position & 7)) & 1) * 2 ** i
    }
    return value
  }
}

function readSize(bits: Bits): [number, number] {
  const small = bits(1) === 1
  const side = (): number => (small ? (bits(5) + 1) * 8 : 1 + bits([9, 13, 18, 30][bits(2)] ?? 9))
  const height = side()
  const ratio = ratios[bits(3)] ?? 0
  // Ratios are of whole numbers; 1e-9 keeps 4/3 of 9 from becoming 11.
  return [ratio === 0 ? side() : Math.floor(height * ratio + 1e-9), height]
}

/** Orientation and previews; true when the picture is shown on its side. */
function readExtraFields(bits: Bits, draft: FactsDraft): boolean {
  const orientation = bits(3) + 1
  if (bits(1) === 1) readSize(bits)
  if (bits(1) === 1) skipPreview(bits)
  if (bits(1) === 1) {
    // Animation header: ticks, loops, time codes. How many frames there are is known only at the end.
    choose(bits, [0, 0, 10, 30], [100, 1000, 1, 1])
    choose(bits, [0, 0, 8, 10], [1, 1001, 1, 1])
    choose(bits, [0, 3, 16, 32], [0, 0, 0, 0])
    bits(1)
    draft.frames = 2
  }
  return orientation >= 5
}

function skipPreview(bits: Bits): void {
  const div8 = bits(1) === 1
  const side = (): number =>
    div8 ? choose(bits, [0, 0, 5, 9], [16, 32, 1, 33]) : choose(bits, [6, 8, 10, 12], [1, 65, 321, 1345])
  side()
  if (bits(3) === 0) side()
}

function readDepth(bits: Bits, draft: FactsDraft): void {
  const float = bits(1) === 1
  draft.bitDepth = float
    ? choose(bits, [0, 0, 0, 6], [32, 16, 24, 1])
    : choose(bits, [0, 0, 0, 6], [8, 10, 12, 1])
  if (float) bits(4)
}

/** The U32 of JPEG XL: two bits choose how many bits follow and what is added to them. */
function choose(bits: Bits, widths: readonly number[], bases: readonly number[]): number {
  const which = bits(2)
  return (bases[which] ?? 0) + bits(widths[which] ?? 0)
}
