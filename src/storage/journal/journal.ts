import type { Digest, ErrorData, Extent, Outcome, TaskId, TaskRequest, Validators } from '../../core/index.ts'

/** What the journal knows of a task. `done` is final; `staged` has all bytes but its rename is not confirmed. */
export type TaskState = 'named' | 'partial' | 'staged' | 'done' | 'failed'

/** The name a task was given, and the task in a form that can be run again. */
export interface NamedRecord {
  readonly id: TaskId
  readonly ordinal: number
  /** Relative to the output root, with `/`. Never changes for a task unless it is forgotten. */
  readonly path: string
  readonly input: string
  /** What was asked for beyond the input. */
  readonly request?: TaskRequest
  /** A finished file of ours under this name, which the new bytes are to replace. */
  readonly replaces?: ReplacedFile
}

/** What a file was when its replacement was begun: only that very file is replaced. */
export interface ReplacedFile {
  readonly lengthBytes: number
  readonly crc32: number
}

/** Bytes that are on disk of an unfinished file. */
export interface CheckpointRecord {
  readonly id: TaskId
  readonly generation: number
  readonly lengthBytes?: number
  readonly extents: readonly Extent[]
  /** By origin. */
  readonly validators: Readonly<Record<string, Validators>>
  readonly contentType?: string
}

/** All bytes are staged and checked; the rename to `path` follows. */
export interface IntentRecord {
  readonly id: TaskId
  readonly generation: number
  readonly path: string
  readonly lengthBytes: number
  readonly crc32: number
  readonly facts: FileFacts
}

/** What was learned about a file when it was fetched; kept for re-runs, reuse and verification. */
export interface FileFacts {
  readonly url?: string
  readonly validators?: Validators
  readonly contentType?: string
  readonly digest?: Digest
  readonly httpStatus?: number
  readonly unverifiedLength?: boolean
  /** What stood under the name and was to be replaced: the file described, or whatever it was. */
  readonly replaces?: ReplacedFile | 'any'
  readonly attempts?: number
  readonly durationMs?: number
  readonly fetchedBytes?: number
}

export interface FailedRecord {
  readonly id: TaskId
  readonly ordinal: number
  readonly input: string
  readonly path?: string
  readonly attempts: number
  readonly error: ErrorData
  readonly httpStatus?: number
  /** What was asked for beyond the input; in the named record where there is one. */
  readonly request?: TaskRequest
}

/** Everything known of one task, joined from its records. */
export interface JournalEntry {
  readonly id: TaskId
  readonly state: TaskState
  readonly named?: NamedRecord
  readonly checkpoint?: CheckpointRecord
  readonly intent?: IntentRecord
  readonly failed?: FailedRecord
}

/** A finished file, as the hot path of a re-run reads it. */
export interface DoneFile {
  readonly path: string
  readonly lengthBytes: number
}

/**
 * Durable progress of one output folder: an append-only log, one writer.
 *
 * - Records are buffered; `flush` hands all of them to the system in one write (group commit). What was flushed
 *   survives the death of the process; `sync` makes it survive the loss of power.
 * - Order of a commit: data checkpointed, `intent` flushed, rename, `done`. A lost `done` is found again by looking
 *   at the disk, so it needs no flush of its own.
 * - Lookups see unflushed records. Nothing here may be called after `close`.
 * - Throws storage errors (ERR_NO_SPACE, ERR_IO, ...) from `flush`, `sync` and `close` only; after a failed flush the
 *   records stay buffered and the next flush tries again.
 */
export interface Journal {
  /** Number of tasks known from former runs when the journal was opened. */
  readonly resumed: number
  state(id: TaskId): TaskState | undefined
  doneFile(id: TaskId): DoneFile | undefined
  find(id: TaskId): JournalEntry | undefined
  named(record: NamedRecord): void
  checkpoint(record: CheckpointRecord): void
  intent(record: IntentRecord): void
  done(id: TaskId): void
  failed(record: FailedRecord): void
  /** The task starts from nothing; its name is free again. */
  forget(id: TaskId): void
  flush(): void
  sync(): void
  /** Ids whose rename is not confirmed, with what is needed to confirm or finish it. */
  staged(): readonly IntentRecord[]
  /** Length of the log, what is not flushed left out. */
  readonly lengthBytes: number
  /** Finished files whose done record stands at this offset of the log or behind it, in its order. */
  doneSince(offsetBytes: number): Iterable<IntentRecord>
  /** Outcomes in the order of the log, lazily. Reads from disk. */
  outcomes(filter?: { readonly status?: 'ok' | 'failed' }): AsyncIterable<Outcome>
  /** Calls back with every name given so far. */
  eachName(visit: (path: string) => void): void
  counts(): Readonly<Record<TaskState, number>>
  close(): void
}
