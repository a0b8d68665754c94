import type { HeaderBytes } from '../bytes/header-bytes.ts'

/** A box of the ISO base media format (ISO/IEC 14496-12, 4.2), also used by JPEG 2000 and JPEG XL. */
export interface IsoBox {
  readonly type: string
  /** Where the box starts, and where its content does. */
  readonly offset: number
  readonly data: number
  /** End of the box; the end of the file where the box says so. */
  readonly end: number
}

const MAX_BOXES = 4096

/** The boxes between two offsets, lazily; ends at the first that makes no sense. */
export function* isoBoxes(bytes: HeaderBytes, from: number, to: number): Generator<IsoBox> {
  let at = from
  for (let i = 0; i < MAX_BOXES && at + 8 <= to; i++) {
    let length = bytes.u32(at)
    const type = bytes.ascii(at + 4, 4)
    let data = at + 8
    if (length === 1) {
      length = bytes.u64(at + 8)
      data = at + 16
    } else if (length === 0) length = to - at
    if (length < data - at) return
    yield { type, offset: at, data, end: at + length }
    at += length
  }
}

/** The first box of a type between two offsets. */
export function findBox(bytes: HeaderBytes, from: number, to: number, type: string): IsoBox | undefined {
  return isoBoxes(bytes, from, to).find((box) => box.type === type)
}
