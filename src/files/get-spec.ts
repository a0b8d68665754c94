import type { GetOptions } from '../config/index.ts'
import type { DownloadTask, HookTools, JobStats, Outcome } from '../core/index.ts'
import type { InputTask } from '../engine/index.ts'
import type { FileRequest } from './file-tasks.ts'
import type { ResolvePlaces } from './resolve-places.ts'

/**
 * What a caller may give for one file: an address, mirrors of one file, or a reference that `resolvePlaces` turns into
 * addresses; each with options of its own where it is an object.
 */
export type GetInput =
  | string
  | URL
  | ({ readonly url: string | URL } & GetInputOptions)
  | ({ readonly urls: readonly (string | URL)[] } & GetInputOptions)
  | ({ readonly source: string; readonly ref: string } & GetInputOptions)

export type GetInputOptions = Omit<FileRequest, 'locator' | 'pieces'> & {
  /** Exact name, relative to the output folder. */
  readonly path?: string
  /** `sha-256=HEX`, as `--checksum`. */
  readonly checksum?: string
}

export type GetInputs = Iterable<GetInput> | AsyncIterable<GetInput>

/**
 * Functions called around each file. They may be asynchronous, and what is behind waits for them. `beforeItem` that
 * throws fails its file; what the others throw is told as a notice and harms nothing.
 */
export interface GetHooks {
  /** Before anything is sent for the file. `false` skips it. */
  readonly beforeItem?: (task: DownloadTask) => void | boolean | Promise<void | boolean>
  /** After the file stands under its name, or was skipped or failed. */
  readonly afterItem?: (outcome: Outcome, tools: HookTools) => void | Promise<void>
  /** For each file that failed, before `afterItem`. */
  readonly onError?: (outcome: Outcome, tools: HookTools) => void | Promise<void>
  /** Once, when all files have ended, also when the job was cancelled. */
  readonly onFinish?: (stats: JobStats, tools: HookTools) => void | Promise<void>
}

/** A get job: what to fetch and all options, resolved. */
export interface GetSpec {
  readonly inputs: GetInputs
  readonly options: GetOptions
  /** Options of single hosts; absent where all have the same. */
  readonly optionsOf?: (host: string) => GetOptions
  /** Content of standard input, for `-i -`. */
  readonly stdin?: AsyncIterable<Uint8Array>
  readonly hooks?: GetHooks
  /** Tasks that are there already, in place of inputs and lists: those of an earlier run. */
  readonly tasks?: AsyncIterable<readonly InputTask[]>
  readonly resolvePlaces?: ResolvePlaces
  /** Takes the bytes of the one file instead of the folder, in order. */
  readonly output?: (chunk: Uint8Array) => void | Promise<void>
}
