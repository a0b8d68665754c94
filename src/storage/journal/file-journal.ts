import type { Outcome, TaskId } from '../../core/index.ts'
import {
  decodeCheckpoint,
  decodeFailed,
  decodeIntendedFile,
  decodeIntent,
  decodeName,
  decodeNamed,
  encodeCheckpoint,
  encodeDone,
  encodeFailed,
  encodeForget,
  encodeIntent,
  encodeNamed,
  previousRecord,
} from './journal-records.ts'
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
import { LogFile, type LogDamage, type LoggedRecord } from './log-file.ts'
import { outcomeOf } from './outcome-of.ts'
import { RecordEncoder, RecordReader, recordHeadBytes, recordType } from './record-codec.ts'
import { TaskIndex } from './task-index.ts'

const states = ['unknown', 'named', 'partial', 'staged', 'done', 'failed', 'forgotten'] as const
const stateNumber = { named: 1, partial: 2, staged: 3, done: 4, failed: 5, forgotten: 6 } as const

export interface FileJournalOptions {
  readonly path: string
  /** Told of damaged stretches found when the journal is opened. */
  readonly onDamage?: (damage: readonly LogDamage[]) => void
  /** Looks only: nothing is created or mended, and nothing may be written. Another process may be writing. */
  readonly readOnly?: boolean
}

/** The journal of an output folder as a log file. Opening it reads the whole log once. */
export class FileJournal implements Journal {
  readonly resumed: number
  #log: LogFile
  #index = new TaskIndex()
  #encoder = new RecordEncoder()
  /** Where the names of files under way stand that are checkpointed again and again: looking costs a read each time. */
  readonly #nameOffsets = new Map<TaskId, number>()

  constructor(options: FileJournalOptions) {
    this.#log = new LogFile(options.path, options)
    const damage = this.#log.replay((type, offset, buffer, payloadAt) =>
      this.#replayed(type, offset, new RecordReader(buffer, payloadAt)),
    )
    const { named, partial, staged, done, failed } = this.counts()
    this.resumed = named + partial + staged + done + failed
    if (damage.length > 0) options.onDamage?.(damage)
  }

  state(id: TaskId): TaskState | undefined {
    const name = states[this.#index.state(id)]
    return name === 'unknown' || name === 'forgotten' ? undefined : name
  }

  doneFile(id: TaskId): DoneFile | undefined {
    if (this.#index.state(id) !== stateNumber.done) return undefined
    const { buffer, payloadAt } = this.#record(this.#index.offset(id))
    return decodeIntendedFile(buffer, payloadAt)
  }

  find(id: TaskId): JournalEntry | undefined {
    const state = this.state(id)
    if (state === undefined) return undefined
    const entry: { -readonly [K in keyof JournalEntry]: JournalEntry[K] } = { id, state }
    for (let record = this.#latest(id); record; record = this.#behind(id, record)) {
      const { buffer, payloadAt, type } = record
      if (type === recordType.named) entry.named = decodeNamed(buffer, payloadAt)
      else if (type === recordType.checkpoint) entry.checkpoint = decodeCheckpoint(buffer, payloadAt)
      else if (type === recordType.intent) entry.intent = decodeIntent(buffer, payloadAt)
      else if (type === recordType.failed) entry.failed = decodeFailed(buffer, payloadAt)
    }
    return entry
  }

  named(record: NamedRecord): void {
    this.#nameOffsets.delete(record.id)
    this.#noted(record.id, stateNumber.named, encodeNamed(this.#encoder, record))
  }

  checkpoint(record: CheckpointRecord): void {
    const previous = this.#nameOffset(record.id)
    this.#nameOffsets.set(record.id, previous)
    this.#noted(record.id, stateNumber.partial, encodeCheckpoint(this.#encoder, record, previous))
  }

  intent(record: IntentRecord): void {
    const previous = this.#nameOffset(record.id)
    if (this.#nameOffsets.size > 0) this.#nameOffsets.delete(record.id)
    this.#noted(record.id, stateNumber.staged, encodeIntent(this.#encoder, record, previous))
  }

  done(id: TaskId): void {
    if (this.#index.state(id) !== stateNumber.staged) return
    encodeDone(this.#encoder, id, this.#index.offset(id))
    this.#index.setState(id, stateNumber.done)
  }

  failed(record: FailedRecord): void {
    this.#nameOffsets.delete(record.id)
    // What is on disk of the file stays known behind the failure, so that the next run goes on from it.
    let previous = this.#latest(record.id)
    if (previous?.type === recordType.failed) previous = this.#behind(record.id, previous)
    const at = encodeFailed(this.#encoder, record, previous?.offset ?? -1)
    this.#noted(record.id, stateNumber.failed, at)
  }

  forget(id: TaskId): void {
    this.#nameOffsets.delete(id)
    if (this.state(id) === undefined) return
    encodeForget(this.#encoder, id)
    this.#index.set(id, stateNumber.forgotten, -1)
  }

  flush(): void {
    if (this.#encoder.lengthBytes === 0) return
    this.#log.append(this.#encoder.bytes())
    this.#encoder.clear()
  }

  sync(): void {
    this.flush()
    this.#log.sync()
  }

  staged(): readonly IntentRecord[] {
    const records: IntentRecord[] = []
    for (const offset of this.#offsets([stateNumber.staged])) {
      const { buffer, payloadAt } = this.#record(offset)
      records.push(decodeIntent(buffer, payloadAt))
    }
    return records
  }

  *doneSince(offsetBytes: number): Generator<IntentRecord> {
    for (const chunk of this.#log.chunks(offsetBytes)) {
      for (const { type, offset, buffer, payloadAt } of chunk) {
        if (type !== recordType.done || offset < offsetBytes) continue
        const id = new RecordReader(buffer, payloadAt).id()
        const latest = this.#index.offset(id)
        if (this.#index.state(id) !== stateNumber.done || latest > offset) continue
        const record = this.#record(latest)
        yield decodeIntent(record.buffer, record.payloadAt)
      }
    }
  }

  async *outcomes(filter: { readonly status?: 'ok' | 'failed' } = {}): AsyncIterable<Outcome> {
    this.flush()
    const release = this.#log.reading()
    try {
      for (const batch of this.#finishedIds(filter.status)) {
        for (const id of batch) {
          const entry = this.find(id)
          const outcome = entry && outcomeOf(entry)
          if (outcome) yield outcome
        }
      }
    } finally {
      release()
    }
  }

  eachName(visit: (path: string) => void): void {
    // Twice over the log, in its order: at random, each of a million names would cost a read of its own.
    const behind: number[] = []
    for (const offset of this.#offsets([1, 2, 3, 4, 5])) {
      const { buffer, payloadAt, type } = this.#record(offset)
      const path = decodeName(type, buffer, payloadAt)
      if (path === undefined) behind.push(offset)
      else visit(path)
    }
    for (const offset of behind) {
      const path = this.#nameBehind(this.#record(offset))
      if (path !== undefined) visit(path)
    }
  }

  /** Everything known of the tasks in some states, in the order of the log, lazily. */
  *entries(wanted: readonly TaskState[]): Generator<JournalEntry, void, undefined> {
    for (const offset of this.#offsets(wanted.map((state) => stateNumber[state]))) {
      const { buffer, payloadAt } = this.#record(offset)
      const entry = this.find(new RecordReader(buffer, payloadAt).id())
      if (entry) yield entry
    }
  }

  /** Sum of the lengths of all finished files. */
  doneBytes(): number {
    let sum = 0
    for (const offset of this.#offsets([stateNumber.done])) {
      const { buffer, payloadAt } = this.#record(offset)
      sum += decodeIntendedFile(buffer, payloadAt).lengthBytes
    }
    return sum
  }

  /** Length of the log. */
  get lengthBytes(): number {
    return this.#log.lengthBytes
  }

  /** Bytes of a write that was cut off, found at the end when the journal was opened. */
  get tornBytes(): number {
    return this.#log.tornBytes
  }

  counts(): Readonly<Record<TaskState, number>> {
    const counts = this.#index.countByState()
    const of = (state: keyof typeof stateNumber): number => counts[stateNumber[state]] ?? 0
    return {
      named: of('named'),
      partial: of('partial'),
      staged: of('staged'),
      done: of('done'),
      failed: of('failed'),
    }
  }

  close(): void {
    try {
      this.flush()
    } finally {
      this.#log.close()
    }
  }

  /** The latest record of a task is the one that was encoded at this place of the buffer. */
  #noted(id: TaskId, state: number, encodedAt: number): void {
    this.#index.set(id, state, this.#log.lengthBytes + encodedAt)
  }

  /** The record at an offset of the log, also when it has not been flushed yet. */
  #record(offset: number): LoggedRecord {
    const at = offset - this.#log.lengthBytes
    if (at < 0) return this.#log.record(offset)
    const buffer = this.#encoder.bytes()
    return { buffer, payloadAt: at + recordHeadBytes, type: buffer[at + 8] ?? 0, offset }
  }

  #latest(id: TaskId): LoggedRecord | undefined {
    const offset = this.#index.offset(id)
    return offset < 0 ? undefined : this.#record(offset)
  }

  /** The record before this one in the chain of its task; undefined where there is none, or damage stands there. */
  #behind(id: TaskId, { type, buffer, payloadAt, offset }: LoggedRecord): LoggedRecord | undefined {
    const previous = previousRecord(type, buffer, payloadAt)
    if (previous < 0 || previous >= offset) return undefined
    const record = previous < this.#log.lengthBytes ? this.#log.soundRecord(previous) : this.#record(previous)
    return record && new RecordReader(record.buffer, record.payloadAt).id() === id ? record : undefined
  }

  /** Offset of the latest name of a task, following the chain backwards; -1 without one. */
  #nameOffset(id: TaskId): number {
    // Nothing came after the name: no need to look at the record.
    if (this.#index.state(id) === stateNumber.named) return this.#index.offset(id)
    const known = this.#nameOffsets.get(id)
    if (known !== undefined) return known
    let record = this.#latest(id)
    while (record && record.type !== recordType.named) record = this.#behind(id, record)
    return record?.offset ?? -1
  }

  #nameBehind(head: LoggedRecord): string | undefined {
    const id = new RecordReader(head.buffer, head.payloadAt).id()
    for (let record = this.#behind(id, head); record; record = this.#behind(id, record)) {
      const path = decodeName(record.type, record.buffer, record.payloadAt)
      if (path !== undefined) return path
    }
    return undefined
  }

  /** Offsets of the latest records of all tasks in some states, in the order of the log. */
  #offsets(wanted: readonly number[]): Float64Array {
    const offsets = new Float64Array(this.#index.size)
    let count = 0
    for (const state of wanted) this.#index.eachIn(state, (offset) => void (offsets[count++] = offset))
    return offsets.subarray(0, count).sort()
  }

  #replayed(type: number, offset: number, reader: RecordReader): void {
    const id = reader.id()
    if (type === recordType.named) this.#index.set(id, stateNumber.named, offset)
    else if (type === recordType.checkpoint) this.#index.set(id, stateNumber.partial, offset)
    else if (type === recordType.intent) this.#index.set(id, stateNumber.staged, offset)
    else if (type === recordType.done) {
      // Of the very intent that stands in the index: where damage took that one, an older name would be confirmed.
      const isIts =
        this.#index.state(id) === stateNumber.staged && this.#index.offset(id) === reader.float64()
      if (isIts) this.#index.setState(id, stateNumber.done)
    } else if (type === recordType.failed) this.#index.set(id, stateNumber.failed, offset)
    else if (type === recordType.forget && this.#index.state(id) !== 0) {
      this.#index.set(id, stateNumber.forgotten, -1)
    }
  }

  /** Ids in the order in which they finished, a bounded batch at a time. */
  *#finishedIds(status: 'ok' | 'failed' | undefined): Generator<readonly TaskId[]> {
    for (const chunk of this.#log.chunks()) {
      const ids: TaskId[] = []
      for (const { type, offset, buffer, payloadAt } of chunk) {
        if (type !== recordType.done && type !== recordType.failed) continue
        const id = new RecordReader(buffer, payloadAt).id()
        // Of a task that ended more than once only the last end counts.
        const latest = this.#index.offset(id)
        const state = this.#index.state(id)
        const counts =
          type === recordType.done
            ? state === stateNumber.done && offset > latest && status !== 'failed'
            : state === stateNumber.failed && offset === latest && status !== 'ok'
        if (counts) ids.push(id)
      }
      yield ids
    }
  }
}
