import type { TaskId } from '../../core/index.ts'

/**
 * Finds the latest record of each task: an open-addressing table in typed arrays, 25 bytes a slot, so that a
 * million tasks take about 50 MB and no objects. Ids are hashes already, so their first word is the slot.
 */
export class TaskIndex {
  #capacity: number
  #words: Uint32Array
  #offsets: Float64Array
  #states: Uint8Array
  #size = 0

  constructor(capacity = 4096) {
    this.#capacity = capacity
    this.#words = new Uint32Array(capacity * 4)
    this.#offsets = new Float64Array(capacity)
    this.#states = new Uint8Array(capacity)
  }

  get size(): number {
    return this.#size
  }

  /** State number of the task, 0 when it is unknown. */
  state(id: TaskId): number {
    return this.#states[this.#slot(id)] ?? 0
  }

  /** Offset given with the last `set`, or -1. */
  offset(id: TaskId): number {
    const slot = this.#slot(id)
    return this.#states[slot] === 0 ? -1 : (this.#offsets[slot] ?? -1)
  }

  set(id: TaskId, state: number, offset: number): void {
    if (this.#size * 10 >= this.#capacity * 7) this.#grow()
    const slot = this.#slot(id)
    if (this.#states[slot] === 0) {
      this.#size++
      this.#words.set(probe, slot * 4)
    }
    this.#states[slot] = state
    this.#offsets[slot] = offset
  }

  /** Changes the state only; the task must be known. */
  setState(id: TaskId, state: number): void {
    const slot = this.#slot(id)
    if (this.#states[slot] !== 0) this.#states[slot] = state
  }

  /** Calls back with the offset of every task in a state. */
  eachIn(state: number, visit: (offset: number) => void): void {
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#states[slot] === state) visit(this.#offsets[slot] ?? -1)
    }
  }

  countByState(): number[] {
    const counts: number[] = []
    for (const state of this.#states) if (state !== 0) counts[state] = (counts[state] ?? 0) + 1
    return counts
  }

  #slot(id: TaskId): number {
    // The same task is asked for several times in a row.
    if (id !== probed) {
      readWords(id, probe, 0)
      probed = id
    }
    return this.#find(probe, 0)
  }

  #find(words: Uint32Array, at: number): number {
    const mask = this.#capacity - 1
    let slot = (words[at] ?? 0) & mask
    while (this.#states[slot] !== 0) {
      const base = slot * 4
      if (
        this.#words[base] === words[at] &&
        this.#words[base + 1] === words[at + 1] &&
        this.#words[base + 2] === words[at + 2] &&
        this.#words[base + 3] === words[at + 3]
      ) {
        return slot
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const words = this.#words
    const offsets = this.#offsets
    const states = this.#states
    this.#capacity *= 2
    this.#words = new Uint32Array(this.#capacity * 4)
    this.#offsets = new Float64Array(this.#capacity)
    this.#states = new Uint8Array(this.#capacity)
    for (let old = 0; old < states.length; old++) {
      if (states[old] === 0) continue
      const slot = this.#find(words, old * 4)
      this.#words.set(words.subarray(old * 4, old * 4 + 4), slot * 4)
      this.#offsets[slot] = offsets[old] ?? -1
      this.#states[slot] = states[old] ?? 0
    }
  }
}

const probe = new Uint32Array(4)
let probed = ''
const hexValue = new Uint8Array(128)
for (let i = 0; i < 16; i++) hexValue[i.toString(16).charCodeAt(0)] = i

function readWords(id: TaskId, into: Uint32Array, at: number): void {
  for (let word = 0; word < 4; word++) {
    let value = 0
    for (let i = word * 8; i < word * 8 + 8; i++)
      value = (value << 4) | (hexValue[id.charCodeAt(i) & 127] ?? 0)
    into[at + word] = value
  }
}
