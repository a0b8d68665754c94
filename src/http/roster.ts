/** What may stand in a roster; the roster writes its place there. */
export interface Seated {
  /** Place in the roster of everything in flight. */
  seat: number
  /** Place in the roster of its signal. */
  signalSeat: number
}

/**
 * The requests in flight, with adding and removing in one step. Not a Set: a Set under such churn makes a new
 * table every few dozen entries, and each old table keeps the new one and its members, with all their buffers,
 * until a full collection; that costs as much as the requests.
 */
export class Roster<T extends Seated> {
  readonly #members: T[] = []
  readonly #place: keyof Seated

  constructor(place: keyof Seated) {
    this.#place = place
  }

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member[this.#place] = this.#members.length
    this.#members.push(member)
  }

  /** The member must be there. */
  remove(member: T): void {
    const last = this.#members.pop()
    if (last === undefined || last === member) return
    const at = member[this.#place]
    this.#members[at] = last
    last[this.#place] = at
  }

  /** The members now, so that they may leave while they are gone through. */
  list(): readonly T[] {
    return [...this.#members]
  }
}
