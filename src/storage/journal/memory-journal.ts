import type { Outcome, TaskId } from '../../core/index.ts'
import type {
  CheckpointRecord,
  DoneFile,
  FailedRecord,
  IntentRecord,
  Journal,
  JournalEntry,
  NamedRecord,
  TaskState,
} from './journal.ts'
import { outcomeOf } from './outcome-of.ts'

/** A journal that is forgotten with the process; for single documents and tests. */
export class MemoryJournal implements Journal {
  readonly resumed = 0
  readonly #entries = new Map<TaskId, JournalEntry>()
  /** In the order in which they finished. */
  readonly #finished = new Set<TaskId>()

  state(id: TaskId): TaskState | undefined {
    return this.#entries.get(id)?.state
  }

  doneFile(id: TaskId): DoneFile | undefined {
    const entry = this.#entries.get(id)
    return entry?.state === 'done' && entry.intent ? entry.intent : undefined
  }

  find(id: TaskId): JournalEntry | undefined {
    return this.#entries.get(id)
  }

  named(record: NamedRecord): void {
    this.#put({ id: record.id, state: 'named', named: record })
  }

  checkpoint(record: CheckpointRecord): void {
    this.#put({ ...this.#namedOf(record.id), id: record.id, state: 'partial', checkpoint: record })
  }

  intent(record: IntentRecord): void {
    this.#put({ ...this.#namedOf(record.id), id: record.id, state: 'staged', intent: record })
  }

  done(id: TaskId): void {
    const entry = this.#entries.get(id)
    if (entry?.state !== 'staged') return
    this.#put({ ...entry, state: 'done' })
    this.#finished.add(id)
  }

  failed(record: FailedRecord): void {
    this.#put({ ...this.#entries.get(record.id), id: record.id, state: 'failed', failed: record })
    this.#finished.add(record.id)
  }

  forget(id: TaskId): void {
    this.#entries.delete(id)
    this.#finished.delete(id)
  }

  flush(): void {}

  sync(): void {}

  staged(): readonly IntentRecord[] {
    return [...this.#entries.values()].flatMap((entry) =>
      entry.state === 'staged' && entry.intent ? [entry.intent] : [],
    )
  }

  /** There is no log that an offset could be one of: all that are finished. */
  doneSince(): IntentRecord[] {
    return [...this.#entries.values()].flatMap((entry) =>
      entry.state === 'done' && entry.intent ? [entry.intent] : [],
    )
  }

  async *outcomes(filter: { readonly status?: 'ok' | 'failed' } = {}): AsyncIterable<Outcome> {
    for (const id of Array.from(this.#finished)) {
      const entry = this.#entries.get(id)
      const outcome = entry && outcomeOf(entry)
      if (outcome && (filter.status === undefined || outcome.status === filter.status)) yield outcome
    }
  }

  eachName(visit: (path: string) => void): void {
    for (const entry of this.#entries.values()) {
      const path = entry.intent?.path ?? entry.named?.path
      if (path !== undefined) visit(path)
    }
  }

  counts(): Readonly<Record<TaskState, number>> {
    const counts = { named: 0, partial: 0, staged: 0, done: 0, failed: 0 }
    for (const entry of this.#entries.values()) counts[entry.state]++
    return counts
  }

  get lengthBytes(): number {
    return 0
  }

  close(): void {}

  #put(entry: JournalEntry): void {
    this.#entries.set(entry.id, entry)
    this.#finished.delete(entry.id)
  }

  #namedOf(id: TaskId): Pick<JournalEntry, 'named'> {
    const named = this.#entries.get(id)?.named
    return named ? { named } : {}
  }
}
