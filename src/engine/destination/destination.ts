import type { DownloadTask, Outcome, Place, SkipReason, TrawlError } from '../../core/index.ts'
import type { ReplacedFile } from '../../storage/index.ts'
import type { PartFiles } from '../remote/part-files.ts'
import type { FoundFile, Settled } from './found-file.ts'
import type { EntityFacts, EntityVerdict, KeptBytes, StagedTransfer } from '../transfer/transfer.ts'

/** What is known of a task before anything is sent for it. */
export type Admission =
  | {
      readonly admit: 'fetch'
      readonly path?: string
      readonly kept?: KeptBytes
      readonly replace?: boolean
      /** A finished file of ours that the new bytes are to replace, where it is still that file. */
      readonly replaces?: ReplacedFile
      /** A file that may be what is wanted; with the proof `digest` it is settled before anything is sent. */
      readonly found?: FoundFile
      /** Asked in place of the task's own, with conditions. */
      readonly places?: readonly Place[]
      /** It was looked for among the files of other folders. */
      readonly lookedFor?: true
    }
  | {
      readonly admit: 'skip'
      readonly reason: SkipReason
      readonly path?: string
      readonly sizeBytes: number
    }

/** The task and the name it was given so far, if any. */
export interface NamedTask {
  readonly task: DownloadTask
  readonly path: string | undefined
  readonly kept: KeptBytes | undefined
  readonly replace: boolean
  readonly replaces?: ReplacedFile | undefined
  readonly found?: FoundFile | undefined
}

/**
 * Where the files of one run go, and what is remembered of them. The run asks; it never looks at the disk itself.
 *
 * - `admit` comes first, once for each task; then `entity`, once for each attempt, with the headers of the answer;
 *   then `commit` or `failed`. All but `commit` are synchronous: they are on the path of every small file.
 * - `entity` names the file and may refuse it by throwing TrawlError; the name holds for later attempts.
 * - Nothing may be called after `close`.
 */
export interface Destination {
  /** Absent where bytes can only go to this thread: then other threads and processes cannot work for it. */
  readonly parts?: PartFiles
  admit(task: DownloadTask): Admission
  entity(
    named: NamedTask,
    facts: EntityFacts,
  ): EntityVerdict & { readonly path?: string; readonly found?: FoundFile }
  /**
   * Takes a file that was found and is proven, or says what is still to be fetched. Only for destinations that find
   * files. Rejects with storage errors.
   */
  settle?(named: NamedTask & { readonly found: FoundFile }, outcome: CommitFacts): Promise<Settled>
  /** Resolves with the final name. The staged sink is closed afterwards, also when this rejects. */
  commit(named: NamedTask, staged: StagedTransfer, outcome: CommitFacts): Promise<string>
  checkpoint(named: NamedTask, kept: KeptBytes): void
  failed(
    named: NamedTask,
    error: TrawlError,
    facts: { readonly attempts: number; readonly httpStatus?: number },
  ): void
  /** Throws nothing: what cannot be written now is written by the next call. */
  flush(): void
  /** Room on the volume, for waiting after ERR_NO_SPACE; undefined when it cannot be told. */
  freeBytes(): number | undefined
  outcomes(filter?: { readonly status?: 'ok' | 'failed' }): AsyncIterable<Outcome>
}

/** Facts of the whole task that are recorded with the file. */
export interface CommitFacts {
  readonly attempts: number
  readonly durationMs: number
  readonly fetchedBytes: number
}
