import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ByteSource } from '../bytes/byte-source.ts'
import { readScanPlan, type ScanPlan } from './jpeg-scan-plan.ts'
import { walkMcus, type ScanWalk } from './jpeg-scan-walk.ts'

// Small enough that other work of the event loop waits two milliseconds at most.
const PIECE_BYTES = 192 << 10
const SPARE_BYTES = 16
/** So many bytes left over are padding of odd encoders; more means that the decoder lost its way. */
const PADDING_BYTES = 64

/** What the walk over the entropy-coded data found. */
export type EntropyVerdict =
  /** Every block is there, and nothing else. */
  | { readonly kind: 'exact' }
  /** Odd, but every block is there. */
  | { readonly kind: 'odd'; readonly note: string }
  /** The code does not fit the picture: bytes are wrong or missing. */
  | { readonly kind: 'damaged'; readonly what: string }
  /** Not a sequential Huffman JPEG; nothing was checked. */
  | { readonly kind: 'unsupported' }

/**
 * Walks the Huffman code of a sequential JPEG block by block, as a decoder does, and compares where it ends with
 * where the data ends. libjpeg stops reading after the last block and so never sees bytes that are left over,
 * which is what a hole or a swapped block in the middle mostly leads to. Costs about a third of a decode; the
 * event loop gets its turn between pieces. Structure must have been checked before.
 */
export async function walkJpegEntropy(source: ByteSource): Promise<EntropyVerdict> {
  const scans = await readScanPlan(source)
  if (!scans) return { kind: 'unsupported' }
  let note: string | undefined
  let from = scans.firstData
  for (let plan = await scans.next(from); plan; plan = await scans.next(from)) {
    const { end, verdict } = await walkScan(source, plan)
    if (verdict.kind === 'damaged') return verdict
    if (verdict.kind === 'odd') note ??= verdict.note
    from = end
  }
  return note === undefined ? { kind: 'exact' } : { kind: 'odd', note }
}

/** Unstuffed bytes of one stretch between markers, as far as they have been read. */
interface Stretch {
  readonly bytes: Buffer
  /** Bytes filled. */
  length: number
  /** Where the raw data goes on. */
  at: number
  /** True once the marker that ends the stretch was reached; `at` is then its place. */
  ended: boolean
}

interface WalkedScan {
  readonly end: number
  readonly verdict: EntropyVerdict
}

/** Memory of walks that have ended, for the next ones. */
const spares: Buffer[] = []
const mostSpares = 4

async function walkScan(source: ByteSource, plan: ScanPlan): Promise<WalkedScan> {
  const bytes = spares.pop() ?? Buffer.allocUnsafeSlow(2 * PIECE_BYTES + SPARE_BYTES)
  try {
    return await walkStretches(source, plan, { bytes, length: 0, at: plan.dataOffset, ended: false })
  } finally {
    if (spares.length < mostSpares) spares.push(bytes)
  }
}

async function walkStretches(source: ByteSource, plan: ScanPlan, stretch: Stretch): Promise<WalkedScan> {
  const walk: ScanWalk = { blocks: plan.blocks, position: 0, mcusDone: 0, invalid: false, overruns: 0 }
  const perStretch = plan.restartInterval === 0 ? plan.mcus : plan.restartInterval
  let note: string | undefined
  let planned = 0
  while (planned < plan.mcus) {
    planned = Math.min(plan.mcus, planned + perStretch)
    const verdict = await walkStretch(source, stretch, walk, planned)
    if (verdict.kind === 'damaged') return { end: stretch.at, verdict }
    if (verdict.kind === 'odd') note ??= verdict.note
    if (planned < plan.mcus && !(await passRestart(source, stretch))) {
      return {
        end: stretch.at,
        verdict: { kind: 'damaged', what: `a restart marker is missing at ${stretch.at}` },
      }
    }
  }
  if (walk.overruns > 0) note ??= `${walk.overruns} blocks with too many coefficients`
  return { end: stretch.at, verdict: note === undefined ? { kind: 'exact' } : { kind: 'odd', note } }
}

/** Walks up to `planned` MCUs, which must take up the stretch to its marker. */
async function walkStretch(
  source: ByteSource,
  stretch: Stretch,
  walk: ScanWalk,
  planned: number,
): Promise<EntropyVerdict> {
  walk.position = 0
  stretch.length = 0
  stretch.ended = false
  // The longest MCU: 10 blocks of 64 codes of 16 bits with 15 bits of value each.
  const longestMcuBits = walk.blocks.length * 64 * 31
  for (;;) {
    await fill(source, stretch)
    walkMcus(
      walk,
      stretch.bytes,
      planned,
      stretch.ended ? stretch.length * 8 : stretch.length * 8 - longestMcuBits,
    )
    if (walk.invalid) return { kind: 'damaged', what: `an impossible code before byte ${stretch.at}` }
    if (walk.mcusDone === planned || stretch.ended) break
    const used = walk.position >>> 3
    stretch.bytes.copyWithin(0, used, stretch.length)
    stretch.length -= used
    walk.position &= 7
    await nextTurn()
  }
  if (walk.mcusDone < planned || (stretch.ended && walk.position > stretch.length * 8)) {
    return { kind: 'damaged', what: `the data before byte ${stretch.at} ends too early` }
  }
  const left = await leftOver(source, stretch, walk)
  if (left > PADDING_BYTES)
    return { kind: 'damaged', what: `${left} bytes too many before byte ${stretch.at}` }
  return left > 0 ? { kind: 'odd', note: `${left} spare bytes before byte ${stretch.at}` } : { kind: 'exact' }
}

/** Whole bytes between the last code and the marker. */
async function leftOver(source: ByteSource, stretch: Stretch, walk: ScanWalk): Promise<number> {
  let left = stretch.length - Math.ceil(walk.position / 8)
  while (!stretch.ended) {
    stretch.length = 0
    await fill(source, stretch)
    left += stretch.length
  }
  return left
}

/** Adds one piece to the stretch: stuffed zeros removed, up to the next marker. */
async function fill(source: ByteSource, stretch: Stretch): Promise<void> {
  const raw = await source.read(stretch.at, PIECE_BYTES)
  const { bytes } = stretch
  let from = 0
  for (;;) {
    const found = raw.indexOf(0xff, from)
    const last = found === raw.length - 1
    if (found < 0 || (last && stretch.at + raw.length < source.sizeBytes)) {
      // A marker may be cut by the piece: its first byte is read again.
      const end = last ? found : raw.length
      stretch.length += raw.copy(bytes, stretch.length, from, end)
      stretch.at += end
      stretch.ended = raw.length === 0
      break
    }
    const code = raw[found + 1]
    stretch.length += raw.copy(bytes, stretch.length, from, code === 0 ? found + 1 : found)
    if (code !== 0 && code !== 0xff) {
      stretch.at += found
      stretch.ended = true
      break
    }
    from = code === 0 ? found + 2 : found + 1
  }
  bytes.fill(0, stretch.length, stretch.length + SPARE_BYTES)
}

/** Steps over a restart marker; false when another marker stands there. */
async function passRestart(source: ByteSource, stretch: Stretch): Promise<boolean> {
  const marker = (await source.read(stretch.at, 2))[1] ?? 0
  if (marker < 0xd0 || marker > 0xd7) return false
  stretch.at += 2
  return true
}
