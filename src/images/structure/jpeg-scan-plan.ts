import type { ByteSource } from '../bytes/byte-source.ts'
import { isFrameHeader } from '../probe/jpeg.ts'
import type { BlockTables } from './jpeg-scan-walk.ts'
import type { WalkTable } from './jpeg-tables.ts'
import { walkTable } from './known-tables.ts'

/** What one scan must hold. */
export interface ScanPlan {
  /** Where its entropy-coded data starts. */
  readonly dataOffset: number
  readonly mcus: number
  /** The blocks of one MCU. */
  readonly blocks: readonly BlockTables[]
  /** MCUs between restart markers; 0 without. */
  readonly restartInterval: number
}

/** The scans of a sequential Huffman JPEG, one after another. */
export interface ScanPlans {
  /** Where to look for the first scan. */
  readonly firstData: number
  /** The first scan at or after `from`; undefined at the end of the image, or where it cannot be understood. */
  next(from: number): Promise<ScanPlan | undefined>
}

interface Component {
  readonly id: number
  readonly h: number
  readonly v: number
}

interface Frame {
  readonly widthPx: number
  readonly heightPx: number
  readonly components: readonly Component[]
}

interface State {
  frame?: Frame
  restartInterval: number
  readonly dc: (WalkTable | undefined)[]
  readonly ac: (WalkTable | undefined)[]
}

/**
 * Prepares the walk over a JPEG. Undefined for what is not sequential, Huffman-coded and of 8 bits: libjpeg reads
 * progressive files to their end by itself.
 */
export async function readScanPlan(source: ByteSource): Promise<ScanPlans | undefined> {
  const state: State = { restartInterval: 0, dc: [], ac: [] }
  const first = await nextScan(source, 2, state)
  if (!first) return undefined
  let pending: ScanPlan | undefined = first
  return {
    firstData: first.dataOffset,
    async next(from) {
      const plan = pending ?? (await nextScan(source, from, state))
      pending = undefined
      return plan
    },
  }
}

/** Reads segments up to the next SOS and keeps tables and frame in `state`. */
async function nextScan(source: ByteSource, from: number, state: State): Promise<ScanPlan | undefined> {
  let at = from
  for (;;) {
    const head = await source.read(at, 4)
    if (head.length < 4) return undefined
    const marker = head[1] ?? 0
    if (head[0] !== 0xff || marker === 0xff) {
      at++
      continue
    }
    if (marker === 0xd9) return undefined
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2
      continue
    }
    const length = head.readUInt16BE(2)
    const data = Buffer.from(await source.read(at + 4, length - 2))
    at += 2 + length
    if (marker === 0xda) return scanPlan(data, at, state)
    if (marker === 0xc4 && !readTables(data, state)) return undefined
    if (marker === 0xdd && data.length >= 2) state.restartInterval = data.readUInt16BE(0)
    if (isFrameHeader(marker)) {
      const frame = marker <= 0xc1 ? readFrame(data) : undefined
      if (!frame) return undefined
      state.frame = frame
    }
  }
}

function readFrame(data: Buffer): Frame | undefined {
  const count = data[5] ?? 0
  if (data.length < 6 + count * 3 || data[0] !== 8 || count < 1 || count > 4) return undefined
  const components = Array.from({ length: count }, (_, i) => {
    const sampling = data.readUInt8(7 + i * 3)
    return { id: data.readUInt8(6 + i * 3), h: sampling >> 4, v: sampling & 15 }
  })
  if (components.some((c) => c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4)) return undefined
  const frame = { heightPx: data.readUInt16BE(1), widthPx: data.readUInt16BE(3), components }
  return frame.heightPx > 0 && frame.widthPx > 0 ? frame : undefined
}

function readTables(data: Buffer, state: State): boolean {
  for (let at = 0; at + 17 <= data.length;) {
    const kind = data.readUInt8(at)
    const counts = data.subarray(at + 1, at + 17)
    const total = counts.reduce((sum, n) => sum + n, 0)
    const ac = kind >> 4 === 1
    const table = walkTable(counts, data.subarray(at + 17, at + 17 + total), ac)
    if (!table || kind >> 4 > 1 || (kind & 15) > 3) return false
    state[ac ? 'ac' : 'dc'][kind & 15] = table
    at += 17 + total
  }
  return true
}

function scanPlan(data: Buffer, dataOffset: number, state: State): ScanPlan | undefined {
  const { frame, restartInterval } = state
  const count = data[0] ?? 0
  if (!frame || count < 1 || count > 4 || data.length < 1 + count * 2) return undefined
  const hMax = Math.max(...frame.components.map((c) => c.h))
  const vMax = Math.max(...frame.components.map((c) => c.v))
  const blocks: BlockTables[] = []
  let mcus = Math.ceil(frame.widthPx / (8 * hMax)) * Math.ceil(frame.heightPx / (8 * vMax))
  for (let i = 0; i < count; i++) {
    const component = frame.components.find((c) => c.id === data[1 + i * 2])
    const tables = data.readUInt8(2 + i * 2)
    const dc = state.dc[tables >> 4]
    const ac = state.ac[tables & 15]
    if (!component || !dc || !ac) return undefined
    // A scan of one component has one block an MCU, and no blocks outside the picture (T.81, A.2.2).
    if (count === 1) {
      const widthPx = Math.ceil((frame.widthPx * component.h) / hMax)
      const heightPx = Math.ceil((frame.heightPx * component.v) / vMax)
      mcus = Math.ceil(widthPx / 8) * Math.ceil(heightPx / 8)
    }
    const perMcu = count === 1 ? 1 : component.h * component.v
    for (let k = 0; k < perMcu; k++) blocks.push({ dc, ac })
  }
  return blocks.length > 10 ? undefined : { dataOffset, mcus, blocks, restartInterval }
}
