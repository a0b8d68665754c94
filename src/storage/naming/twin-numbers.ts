const slots = 1 << 16

/**
 * The last number given to twins of a name, for the most recent names: a direct-mapped table of half a megabyte,
 * made when the first twins meet. A name that lost its slot is only slower to number.
 */
export class TwinNumbers {
  #table: Uint32Array | undefined
  #tag = 0

  /** The slot of a name, by its hash; `last` and `remember` speak of it. */
  slotOf(high: number, low: number): number {
    this.#tag = high
    return low & (slots - 1)
  }

  /** The last number given; 0 where none is known. */
  last(slot: number): number {
    return this.#table?.[2 * slot] === this.#tag ? (this.#table[2 * slot + 1] ?? 0) : 0
  }

  remember(slot: number, number: number): void {
    this.#table ??= new Uint32Array(2 * slots)
    this.#table[2 * slot] = this.#tag
    this.#table[2 * slot + 1] = number
  }
}
