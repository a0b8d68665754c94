import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

const slotBytes = 4

/**
 * The rows of a shard that the image library works on right now, in a small file beside the spool: `NNNNN.at-work`, four
 * bytes a slot (row plus one, little-endian; 0 is free). A process that dies leaves in it the images that may have killed
 * it: `suspects` for the next run, which stay noted until they were worked on. The file is a help, not a record: it is
 * never forced to the disk, and where it cannot be written the work goes on without it.
 */
export class ImagesAtWork {
  /** Rows that an earlier process worked on when it died. */
  readonly suspects: ReadonlySet<number>
  readonly #path: string
  /** The row of each slot. */
  readonly #slots: (number | undefined)[]
  #fd: number | undefined
  #closed = false

  constructor(path: string) {
    this.#path = path
    this.suspects = readSlots(path)
    this.#slots = [...this.suspects]
  }

  /** Notes a row as at work; the returned function ends that. */
  begin(row: number): () => void {
    const own = this.suspects.has(row) ? this.#slots.indexOf(row) : -1
    const free = own === -1 ? this.#slots.indexOf(undefined) : own
    const slot = free === -1 ? this.#slots.length : free
    this.#set(slot, row)
    return () => this.#set(slot, undefined)
  }

  /** Ends the use of the file. It goes where nothing is at work any more, and with `remove`. Safe to call twice. */
  close(options: { readonly remove?: boolean } = {}): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#fd !== undefined) closeSync(this.#fd)
    if (options.remove === true || this.#slots.every((row) => row === undefined)) {
      rmSync(this.#path, { force: true })
    }
  }

  #set(slot: number, row: number | undefined): void {
    this.#slots[slot] = row
    if (this.#closed) return
    try {
      if (this.#fd === undefined) {
        this.#fd = openSync(this.#path, 'w')
        writeSync(this.#fd, slotBytesOf(this.#slots), 0)
      } else {
        writeSync(this.#fd, slotBytesOf([row]), 0, slotBytes, slot * slotBytes)
      }
    } catch {
      // The images come first.
    }
  }
}

function slotBytesOf(rows: readonly (number | undefined)[]): Buffer {
  const bytes = Buffer.alloc(rows.length * slotBytes)
  for (const [slot, row] of rows.entries())
    bytes.writeUInt32LE(row === undefined ? 0 : row + 1, slot * slotBytes)
  return bytes
}

function readSlots(path: string): ReadonlySet<number> {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    // None is left: nobody died at work.
    return new Set()
  }
  const rows = new Set<number>()
  for (let at = 0; at + slotBytes <= bytes.length; at += slotBytes) {
    const value = bytes.readUInt32LE(at)
    if (value > 0) rows.add(value - 1)
  }
  return rows
}
