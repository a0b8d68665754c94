const slabBytes = 1024 * 1024
/** Slabs that wait for their next use, in all: what a few connections need to never make a new one. */
const maxSpare = 8

/** A block of memory whose pieces are handed out in order, and given back in any. */
export interface Slab {
  readonly bytes: Buffer
  /** Of the bytes handed out, so many have not been given back. */
  outBytes: number
  /** Nothing more is handed out of it. */
  closed: boolean
}

const slabOf = new WeakMap<ArrayBufferLike, Slab>()
const spare: Slab[] = []

/** A slab of 1 MiB; one that was used before where there is one, since fresh memory is costly. */
export function takeSlab(): Slab {
  const used = spare.pop()
  if (used) {
    used.closed = false
    return used
  }
  const bytes = Buffer.allocUnsafeSlow(slabBytes)
  const slab = { bytes, outBytes: 0, closed: false }
  slabOf.set(bytes.buffer, slab)
  return slab
}

/** Nothing more is handed out of a slab. */
export function closeSlab(slab: Slab): void {
  slab.closed = true
  if (slab.outBytes === 0) keepSpare(slab)
}

/**
 * The bytes of a chunk are not needed any more, by whoever owns it: others will overwrite them. Each byte may be given
 * back once. Chunks that are of no slab are passed over; a slab of which some bytes are never given back is collected
 * as other memory is.
 */
export function giveBack(chunk: Buffer): void {
  const slab = slabOf.get(chunk.buffer)
  if (slab === undefined) return
  slab.outBytes -= chunk.length
  if (slab.closed && slab.outBytes === 0) keepSpare(slab)
}

function keepSpare(slab: Slab): void {
  if (spare.length < maxSpare) spare.push(slab)
}
