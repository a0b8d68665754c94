import type { BookCommandOptions } from '../config/index.ts'
import type { BookMetadata, ErrorData, HookTools, JobStats } from '../core/index.ts'
import type { SourceInput, SourceRegistry } from '../sources/index.ts'

/** What a caller may give as input: a URL, a path, a pattern, or an input with hints for its source. */
export type BookInputs = string | SourceInput | readonly (string | SourceInput)[]

/** Functions called by a book job. They may be asynchronous; what they throw is told as a notice. */
export interface BookHooks {
  /** After a work has ended, whatever became of it. */
  readonly afterBook?: (result: BookResult, tools: HookTools) => void | Promise<void>
  /** Once, when all works have ended. */
  readonly onFinish?: (stats: JobStats, tools: HookTools) => void | Promise<void>
}

/** A book job: what to make books of, and all options, resolved. */
export interface BookSpec {
  readonly inputs: readonly SourceInput[]
  readonly options: BookCommandOptions
  readonly sources: SourceRegistry
  /** Whether inputs may be paths of this machine. */
  readonly localFiles: boolean
  /** Takes the place of what sources say; options such as title win over it. */
  readonly metadata?: Partial<BookMetadata>
  readonly hooks?: BookHooks
}

/**
 * How a work ended. `unchanged`: it was whole before and its source has nothing new. `skipped`: files that are not ours
 * stand in all its places, and `onExists` is `skip`.
 */
export type BookStatus = 'done' | 'unchanged' | 'skipped' | 'incomplete' | 'failed' | 'unfinished'

/** What became of one work. */
export interface BookResult {
  readonly id: string
  readonly title: string
  readonly status: BookStatus
  /** Absolute paths of the containers; none where the policy is strict and a page is missing. */
  readonly files: readonly string[]
  readonly pages: number
  readonly missing: readonly MissingPage[]
  /** What is odd about the pages as a whole, in short sentences. */
  readonly notes?: readonly string[]
  /** Several pages are one image, which is likely to be no page. Such a work is not added to the archive file. */
  readonly suspect?: boolean
  readonly error?: ErrorData
}

/** A page that could not be had. */
export interface MissingPage {
  /** From 1. */
  readonly number: number
  readonly label?: string
  readonly url: string
  readonly error: ErrorData
}
