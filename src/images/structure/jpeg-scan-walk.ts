import { END_OF_BLOCK, SEVERAL_BITS, type WalkTable } from './jpeg-tables.ts'

/** The tables of one block of an MCU. */
export interface BlockTables {
  readonly dc: WalkTable
  readonly ac: WalkTable
}

/** A walk over entropy-coded data that may stop and go on. Positions are in bits of the unstuffed data. */
export interface ScanWalk {
  /** The blocks of one MCU, in order. */
  readonly blocks: readonly BlockTables[]
  position: number
  mcusDone: number
  /** Codes that no table has. The walk stops there. */
  invalid: boolean
  /** Blocks whose codes ran past the 64th coefficient. */
  overruns: number
}

/**
 * Walks MCUs until `mcus` are done or the position passes `stopBits`. `bytes` must hold four spare bytes behind
 * the last one that matters. The values are skipped: only lengths of codes count (ITU-T T.81, F.2.2).
 */
export function walkMcus(walk: ScanWalk, bytes: Uint8Array, mcus: number, stopBits: number): void {
  const { blocks } = walk
  let position = walk.position
  let done = walk.mcusDone
  while (done < mcus && position < stopBits) {
    for (const tables of blocks) {
      position = walkBlock(walk, tables, bytes, position)
      if (position < 0) return
    }
    done++
  }
  walk.position = position
  walk.mcusDone = done
}

/** Position behind the block; -1 where no code fits. */
function walkBlock(walk: ScanWalk, tables: BlockTables, bytes: Uint8Array, start: number): number {
  const { single, several } = tables.ac
  const first = tables.dc.single[peek(bytes, start)]!
  if (first === 0) return stop(walk)
  let position = start + (first & 31)
  let k = 1
  do {
    const next = peek(bytes, position)
    let entry = several[next >>> (16 - SEVERAL_BITS)]!
    let passed = entry >>> 5
    // Several codes at once only where the block surely ends with the last of them, or later.
    const fits = passed >= END_OF_BLOCK ? k + passed < 64 + END_OF_BLOCK : k + passed <= 64
    if (entry === 0 || !fits) {
      entry = single[next]!
      if (entry === 0) return stop(walk)
      passed = entry >>> 5
    }
    position += entry & 31
    k += passed
  } while (k < 64)
  if (k > 64 && k < END_OF_BLOCK) walk.overruns++
  return position
}

/** The 16 bits at a position. */
function peek(bytes: Uint8Array, position: number): number {
  const at = position >>> 3
  return (((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) >>> (8 - (position & 7))) & 0xffff
}

function stop(walk: ScanWalk): number {
  walk.invalid = true
  return -1
}
