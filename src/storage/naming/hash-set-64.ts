/**
 * A set of 64-bit hashes in one typed array: open addressing, linear probing, deletion by moving back. The hash
 * functions leave their result in `high` and `low`, and `has`, `add` and `delete` speak of it, so that no call
 * allocates. Grows by doubling at 70 % load.
 */
export class HashSet64 {
  /** Pairs of high and low words; a pair of zeros is a free slot. */
  #words = new Uint32Array(2 * 1024)
  #mask = 1023
  #size = 0
  #high = 0
  #low = 0

  get size(): number {
    return this.#size
  }

  get high(): number {
    return this.#high
  }

  get low(): number {
    return this.#low
  }

  /** Hashes the UTF-16 units of a text: two lanes of multiply and xor, mixed at the end as in MurmurHash3. */
  hash(text: string, seed: number): void {
    let a = seed
    let b = ~seed
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      a = Math.imul(a ^ unit, 0x85ebca6b)
      a ^= a >>> 13
      b = Math.imul(b ^ unit, 0xc2b2ae35)
      b ^= b >>> 15
    }
    this.#finish(a, b)
  }

  /**
   * The same hash of a text in lower case, for plain ASCII in which no component ends in a dot or a space. False,
   * and no hash, for any other text.
   */
  hashFolded(text: string, seed: number): boolean {
    let a = seed
    let b = ~seed
    let before = 0
    for (let i = 0; i < text.length; i++) {
      let unit = text.charCodeAt(i)
      if (unit > 0x7e || (unit === 0x2f && (before === 0x2e || before === 0x20))) return false
      if (unit >= 0x41 && unit <= 0x5a) unit |= 0x20
      a = Math.imul(a ^ unit, 0x85ebca6b)
      a ^= a >>> 13
      b = Math.imul(b ^ unit, 0xc2b2ae35)
      b ^= b >>> 15
      before = unit
    }
    if (before === 0x2e || before === 0x20) return false
    this.#finish(a, b)
    return true
  }

  has(): boolean {
    return this.#words[2 * this.#find()] !== 0
  }

  /** False where it was there already. */
  add(): boolean {
    const at = 2 * this.#find()
    if (this.#words[at] !== 0) return false
    this.#words[at] = this.#high
    this.#words[at + 1] = this.#low
    this.#size++
    if (this.#size > this.#mask * 0.7) this.#grow()
    return true
  }

  /** False where it was not there. */
  delete(): boolean {
    let hole = this.#find()
    const words = this.#words
    if (words[2 * hole] === 0) return false
    for (let at = (hole + 1) & this.#mask; words[2 * at] !== 0; at = (at + 1) & this.#mask) {
      const home = (words[2 * at + 1] ?? 0) & this.#mask
      // Whoever stands as far from home as the hole is may move into it.
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue
      words[2 * hole] = words[2 * at] ?? 0
      words[2 * hole + 1] = words[2 * at + 1] ?? 0
      hole = at
    }
    words[2 * hole] = 0
    words[2 * hole + 1] = 0
    this.#size--
    return true
  }

  #finish(a: number, b: number): void {
    const high = mix(a ^ Math.imul(b, 0x9e3779b1))
    // A high word of zero marks a free slot.
    this.#high = high === 0 ? 1 : high >>> 0
    this.#low = mix(b ^ Math.imul(a, 0x85ebca77)) >>> 0
  }

  /** The slot of the hash, or the free slot where it would go. */
  #find(): number {
    const words = this.#words
    let at = this.#low & this.#mask
    for (;;) {
      const high = words[2 * at]
      if (high === 0 || (high === this.#high && words[2 * at + 1] === this.#low)) return at
      at = (at + 1) & this.#mask
    }
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(old.length * 2)
    this.#mask = old.length - 1
    for (let i = 0; i < old.length; i += 2) {
      const high = old[i] ?? 0
      if (high === 0) continue
      const low = old[i + 1] ?? 0
      let at = low & this.#mask
      while (this.#words[2 * at] !== 0) at = (at + 1) & this.#mask
      this.#words[2 * at] = high
      this.#words[2 * at + 1] = low
    }
  }
}

function mix(x: number): number {
  let h = x
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
