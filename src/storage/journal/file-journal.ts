import type { Outcome, TaskId } from '../../core/index.ts'
import {
  decodeCheckpoint,
  decodeFailed,
  decodeIntent,
  decodeNamed,
  encodeCheckpoint,
  encodeFailed,
  encodeId,
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
import { LogFile, type LogDamage } from './log-file.ts'
import { outcomeOf } from './outcome-of.ts'
import { RecordEncoder, RecordReader, recordHeadBytes, recordType } from './record-codec.ts'
import { TaskIndex } from './task-index.ts'

const states = ['unknown', 'named', 'partial', 'staged', 'done', 'failed', 'forgotten'] as const
const stateNumber = { named: 1, partial: 2, staged: 3, done: 4, failed: 5, forgotten: 6 } as const

export interface FileJournalOptions {
  readonly path: string
  /** Told of damaged stretches found when the journal is opened. */
  readonly onDamage?: (damage: readonly LogDamage[]) => void
}

/** The journal of an output folder as a log file. Opening it reads the whole log once. */
export class FileJournal implements Journal {
  readonly resumed: number
  #log: LogFile
  #index = new TaskIndex()
  #encoder = new RecordEncoder()

  constructor(options: FileJournalOptions) {
    this.#log = new LogFile(options.path)
    const damage = this.#log.replay((type, offset, buffer, payloadAt) =>
      this.#replayed(type, offset, new RecordReader(buffer, payloadAt)),
    )
    this.resumed = this.#index.size
    if (damage.length > 0) options.onDamage?.(damage)
  }

  state(id: TaskId): TaskState | undefined {
    const name = states[this.#index.state(id)]
    return name === 'unknown' || name === 'forgotten' ? undefined : name
  }

  doneFile(id: TaskId): DoneFile | undefined {
    if (this.#index.state(id) !== stateNumber.done) return undefined
    const { buffer, payloadAt } = this.#record(this.#index.offset(id))
    const reader = new RecordReader(buffer, payloadAt)
    reader.id()
    reader.float64()
    reader.uint32()
    const lengthBytes = reader.float64()
    reader.uint32()
    return { lengthBytes, path: reader.text() }
  }

  find(id: TaskId): JournalEntry | undefined {
    const state = this.state(id)
    if (state === undefined) return undefined
    const entry: { -readonly [K in keyof JournalEntry]: JournalEntry[K] } = { id, state }
    for (let offset = this.#index.offset(id); offset >= 0;) {
      const { buffer, payloadAt, type } = this.#record(offset)
      if (type === recordType.named) entry.named = decodeNamed(buffer, payloadAt)
      else if (type === recordType.checkpoint) entry.checkpoint = decodeCheckpoint(buffer, payloadAt)
      else if (type === recordType.intent) entry.intent = decodeIntent(buffer, payloadAt)
      else if (type === recordType.failed) entry.failed = decodeFailed(buffer, payloadAt)
      offset = previousRecord(type, buffer, payloadAt)
    }
    return entry
  }

  named(record: NamedRecord): void {
    this.#append(record.id, stateNumber.named, () => encodeNamed(this.#encoder, record))
  }

  checkpoint(record: CheckpointRecord): void {
    const previous = this.#offsetOf(record.id, recordType.named)
    this.#append(record.id, stateNumber.partial, () => encodeCheckpoint(this.#encoder, record, previous))
  }

  intent(record: IntentRecord): void {
    const previous = this.#offsetOf(record.id, recordType.named)
    this.#append(record.id, stateNumber.staged, () => encodeIntent(this.#encoder, record, previous))
  }

  done(id: TaskId): void {
    encodeId(this.#encoder, recordType.done, id)
    this.#index.setState(id, stateNumber.done)
  }

  failed(record: FailedRecord): void {
    // What is on disk of the file stays known behind the failure, so that the next run goes on from it.
    let previous = this.#index.offset(record.id)
    if (previous >= 0 && this.#record(previous).type === recordType.failed) previous = this.#behind(previous)
    this.#append(record.id, stateNumber.failed, () => encodeFailed(this.#encoder, record, previous))
  }

  forget(id: TaskId): void {
    if (this.#index.state(id) === 0) return
    encodeId(this.#encoder, recordType.forget, id)
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
    this.#index.eachIn(stateNumber.staged, (offset) => {
      const { buffer, payloadAt } = this.#record(offset)
      records.push(decodeIntent(buffer, payloadAt))
    })
    return records
  }

  async *outcomes(filter: { readonly status?: 'ok' | 'failed' } = {}): AsyncIterable<Outcome> {
    this.flush()
    for (const batch of this.#finishedIds(filter.status)) {
      for (const id of batch) {
        const entry = this.find(id)
        const outcome = entry && outcomeOf(entry)
        if (outcome) yield outcome
      }
    }
  }

  eachName(visit: (path: string) => void): void {
    const visitNamed = (offset: number): void => {
      const { buffer, payloadAt, type } = this.#record(offset)
      if (type === recordType.named) visit(decodeNamed(buffer, payloadAt).path)
      else if (type === recordType.intent) visit(decodeIntent(buffer, payloadAt).path)
      else visitBehind(previousRecord(type, buffer, payloadAt))
    }
    const visitBehind = (offset: number): void => {
      if (offset >= 0) visitNamed(offset)
    }
    for (const state of [1, 2, 3, 4, 5]) this.#index.eachIn(state, visitBehind)
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

  #append(id: TaskId, state: number, encode: () => number): void {
    const offset = this.#log.lengthBytes + encode()
    this.#index.set(id, state, offset)
  }

  /** The record at an offset of the log, also when it has not been flushed yet. */
  #record(offset: number): { readonly buffer: Buffer; readonly payloadAt: number; readonly type: number } {
    const at = offset - this.#log.lengthBytes
    if (at < 0) return this.#log.record(offset)
    const buffer = this.#encoder.bytes()
    return { buffer, payloadAt: at + recordHeadBytes, type: buffer[at + 8] ?? 0 }
  }

  #behind(offset: number): number {
    const { buffer, payloadAt, type } = this.#record(offset)
    return previousRecord(type, buffer, payloadAt)
  }

  /** Offset of the latest record of a type for a task, following the chain backwards; -1 without one. */
  #offsetOf(id: TaskId, type: number): number {
    let offset = this.#index.offset(id)
    while (offset >= 0 && this.#record(offset).type !== type) offset = this.#behind(offset)
    return offset
  }

  #replayed(type: number, offset: number, reader: RecordReader): void {
    const id = reader.id()
    if (type === recordType.named) this.#index.set(id, stateNumber.named, offset)
    else if (type === recordType.checkpoint) this.#index.set(id, stateNumber.partial, offset)
    else if (type === recordType.intent) this.#index.set(id, stateNumber.staged, offset)
    else if (type === recordType.done) this.#index.setState(id, stateNumber.done)
    else if (type === recordType.failed) this.#index.set(id, stateNumber.failed, offset)
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
