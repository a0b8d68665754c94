import type { HeaderBytes } from '../bytes/header-bytes.ts'
import type { FactsDraft } from './facts-draft.ts'
import { findBox, isoBoxes, type IsoBox } from './iso-boxes.ts'

const MAX_ITEMS = 4096

/** AVIF and HEIC (ISO/IEC 23008-12): the properties of the primary item. `frames` counts an image sequence. */
export function probeHeif(bytes: HeaderBytes, draft: FactsDraft): void {
  const meta = findBox(bytes, 0, bytes.sizeBytes, 'meta')
  if (!meta) return
  // `meta` is a full box: four bytes of version and flags come first.
  const primary = primaryItem(bytes, meta)
  const properties = findBox(bytes, meta.data + 4, meta.end, 'iprp')
  const container = properties && findBox(bytes, properties.data, properties.end, 'ipco')
  if (!properties || !container) return
  const boxes = [...isoBoxes(bytes, container.data, container.end)]
  const own = associations(bytes, properties, primary)
    .map((index) => boxes[index - 1])
    .filter((box) => box !== undefined)
  readProperties(bytes, own.length > 0 ? own : boxes, draft)
  draft.alpha = boxes.some((box) => box.type === 'auxC' && /alpha|:aux(id)?:1/.test(textOf(bytes, box)))
  const movie = findBox(bytes, 0, bytes.sizeBytes, 'moov')
  if (movie) draft.frames = Math.max(1, sampleCount(bytes, movie, 0))
}

function textOf(bytes: HeaderBytes, box: IsoBox): string {
  return bytes.ascii(box.data + 4, Math.max(0, Math.min(64, box.end - box.data - 4)))
}

function primaryItem(bytes: HeaderBytes, meta: IsoBox): number {
  const box = findBox(bytes, meta.data + 4, meta.end, 'pitm')
  if (!box) return 1
  return bytes.u8(box.data) === 0 ? bytes.u16(box.data + 4) : bytes.u32(box.data + 4)
}

function associations(bytes: HeaderBytes, properties: IsoBox, item: number): number[] {
  const box = findBox(bytes, properties.data, properties.end, 'ipma')
  if (!box) return []
  const wideItems = bytes.u8(box.data) > 0
  const wideIndex = (bytes.u8(box.data + 3) & 1) === 1
  const count = bytes.u32(box.data + 4)
  let at = box.data + 8
  for (let i = 0; i < Math.min(count, MAX_ITEMS); i++) {
    const id = wideItems ? bytes.u32(at) : bytes.u16(at)
    at += wideItems ? 4 : 2
    const entries = bytes.u8(at++)
    const indices: number[] = []
    for (let k = 0; k < entries; k++, at += wideIndex ? 2 : 1) {
      indices.push(wideIndex ? bytes.u16(at) & 0x7fff : bytes.u8(at) & 0x7f)
    }
    if (id === item) return indices
  }
  return []
}

function readProperties(bytes: HeaderBytes, boxes: readonly IsoBox[], draft: FactsDraft): void {
  let turned = false
  for (const box of boxes) {
    if (box.type === 'ispe' && draft.widthPx === 0) {
      draft.heightPx = bytes.u32(box.data + 8)
      draft.widthPx = bytes.u32(box.data + 4)
    } else if (box.type === 'pixi') {
      const channels = bytes.u8(box.data + 4)
      draft.channels = channels === 1 ? 1 : 3
      if (channels > 0) draft.bitDepth = bytes.u8(box.data + 5)
    } else if (box.type === 'av1C') {
      // AV1 codec configuration: high_bitdepth, twelve_bit, monochrome.
      const flags = bytes.u8(box.data + 2)
      draft.bitDepth = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12
      draft.channels = (flags & 0x10) === 0 ? 3 : 1
    } else if (box.type === 'colr' && /prof|rICC/.test(bytes.ascii(box.data, 4))) draft.icc = true
    else if (box.type === 'irot') turned = (bytes.u8(box.data) & 1) === 1
  }
  if (turned) [draft.widthPx, draft.heightPx] = [draft.heightPx, draft.widthPx]
}

const trackPath = ['trak', 'mdia', 'minf', 'stbl', 'stsz']

/** Samples of the first track of an image sequence. */
function sampleCount(bytes: HeaderBytes, box: IsoBox, depth: number): number {
  const type = trackPath[depth]
  if (type === undefined) return bytes.u32(box.data + 8)
  const inner = findBox(bytes, box.data, box.end, type)
  return inner ? sampleCount(bytes, inner, depth + 1) : 1
}
