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
  #finished: TaskId[] = []

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
    this.#entries.set(record.id, { id: record.id, state: 'named', named: record })
  }

  checkpoint(record: CheckpointRecord): void {
    this.#put(record.id, { state: 'partial', checkpoint: record })
  }

  intent(record: IntentRecord): void {
    this.#put(record.id, { state: 'staged', intent: record })
  }

  done(id: TaskId): void {
    this.#put(id, { state: 'done' })
    this.#end(id)
  }

  failed(record: FailedRecord): void {
    this.#put(record.id, { state: 'failed', failed: record })
    this.#end(record.id)
  }

  forget(id: TaskId): void {
    this.#entries.delete(id)
    this.#finished = this.#finished.filter((each) => each !== id)
  }

  flush(): void {}

  sync(): void {}

  staged(): readonly IntentRecord[] {
    return [...this.#entries.values()].flatMap((entry) =>
      entry.state === 'staged' && entry.intent ? [entry.intent] : [],
    )
  }

  async *outcomes(filter: { readonly status?: 'ok' | 'failed' } = {}): AsyncIterable<Outcome> {
    for (const id of [...this.#finished]) {
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

  close(): void {}

  #put(id: TaskId, change: Partial<JournalEntry> & { readonly state: TaskState }): void {
    this.#entries.set(id, { ...this.#entries.get(id), ...change, id })
  }

  #end(id: TaskId): void {
    this.#finished = this.#finished.filter((each) => each !== id)
    this.#finished.push(id)
  }
}
