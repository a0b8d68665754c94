/** Hosts remembered at one time, of each kind. */
const most = 1000

/** What hosts of a run do differently from what HTTP says, learned while asking them. */
export class HostQuirks {
  readonly #noIfRange = new Set<string>()
  readonly #restlessTags = new Set<string>()
  readonly #changes = new Map<string, number>()

  /** Answers If-Range with the whole file although nothing changed. */
  refusesIfRange(host: string): boolean {
    return this.#noIfRange.has(host)
  }

  noteRefusedIfRange(host: string): void {
    remember(this.#noIfRange, host)
  }

  /** Gives the same file another strong tag each time. */
  hasRestlessTags(host: string): boolean {
    return this.#restlessTags.has(host)
  }

  noteRestlessTags(host: string): void {
    remember(this.#restlessTags, host)
  }

  /** How often a task was started anew because its file seemed to have changed. */
  changesOf(taskId: string): number {
    return this.#changes.get(taskId) ?? 0
  }

  noteChange(taskId: string): void {
    const count = this.changesOf(taskId) + 1
    this.#changes.delete(taskId)
    this.#changes.set(taskId, count)
    const oldest = this.#changes.keys().next().value
    if (this.#changes.size > most && oldest !== undefined) this.#changes.delete(oldest)
  }
}

function remember(set: Set<string>, host: string): void {
  set.add(host)
  const oldest = set.values().next().value
  if (set.size > most && oldest !== undefined) set.delete(oldest)
}
