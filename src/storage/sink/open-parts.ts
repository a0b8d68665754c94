/** A part file that is open. The list writes its place there. */
export interface OpenPart {
  readonly partPath: string
  /** Place in the list; -1 when it is in none. */
  seat: number
}

/**
 * The part files that are open in an output folder. A list whose gaps are closed from the end: adding and removing is
 * on the path of each small file, asking is only for folders that several jobs share.
 */
export class OpenParts {
  readonly #parts: OpenPart[] = []

  add(part: OpenPart): void {
    if (part.seat >= 0) return
    part.seat = this.#parts.length
    this.#parts.push(part)
  }

  remove(part: OpenPart): void {
    const { seat } = part
    if (seat < 0) return
    part.seat = -1
    const last = this.#parts.pop()
    if (!last || last === part) return
    this.#parts[seat] = last
    last.seat = seat
  }

  has(partPath: string): boolean {
    return this.#parts.some((part) => part.partPath === partPath)
  }
}
