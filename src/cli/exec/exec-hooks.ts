import { resolve } from 'node:path'
import type { BookHooks, BookResult } from '../../books/index.ts'
import { parseCommand, type HooksOptions } from '../../config/index.ts'
import type { JobStats, Outcome } from '../../core/index.ts'
import type { GetHooks } from '../../files/index.ts'
import type { RunProgram } from '../cli-context.ts'
import { CommandRunner } from './command-runner.ts'
import type { CommandFacts } from './fill-command.ts'

export interface ExecHooksOptions {
  readonly options: HooksOptions & { readonly dir: string }
  /** Absent where no programs can be started. */
  readonly run: RunProgram | undefined
  readonly cwd: string
}

/** The hooks of a get job that `--exec` and `--exec-end` ask for; undefined where neither was given. */
export function getExecHooks(given: ExecHooksOptions): GetHooks | undefined {
  const exec = createExec(given)
  if (!exec) return undefined
  return {
    async afterItem(outcome, { notice }) {
      if (exec.wants(outcome.status)) await exec.item(factsOfItem(outcome, exec.dir), notice)
    },
    onFinish: (stats, { notice }) => exec.end(factsOfEnd(stats, exec.dir), notice),
  }
}

/** The same for books: one command for each container that was made, or for the book where none was. */
export function bookExecHooks(given: ExecHooksOptions): BookHooks | undefined {
  const exec = createExec(given)
  if (!exec) return undefined
  return {
    async afterBook(book, { notice }) {
      const status = statusOfBook(book)
      if (!exec.wants(status)) return
      const paths = book.files.length > 0 ? book.files : [undefined]
      for (const path of paths) await exec.item(factsOfBook(book, status, path), notice)
    },
    onFinish: (stats, { notice }) => exec.end(factsOfEnd(stats, exec.dir), notice),
  }
}

interface Exec {
  readonly dir: string
  wants(status: Outcome['status']): boolean
  item(facts: CommandFacts, notice: (message: string) => void): Promise<void>
  end(facts: CommandFacts, notice: (message: string) => void): Promise<void>
}

function createExec({ options, run, cwd }: ExecHooksOptions): Exec | undefined {
  const words = options.exec === undefined ? undefined : parseCommand(options.exec)
  const endWords = options.execEnd === undefined ? undefined : parseCommand(options.execEnd)
  if (!run || (!words && !endWords)) return undefined
  let tell: (message: string) => void = () => {}
  const runner = new CommandRunner({
    run,
    atOnce: options.execJobs,
    onFailure: (message) => tell(message),
  })
  return {
    dir: resolve(cwd, options.dir),
    wants: (status) => words !== undefined && options.execOn.includes(status),
    async item(facts, notice) {
      tell = notice
      if (words) await runner.start(words, facts)
    },
    async end(facts, notice) {
      tell = notice
      await runner.settle()
      if (!endWords) return
      await runner.start(endWords, facts)
      await runner.settle()
    },
  }
}

function factsOfItem(outcome: Outcome, dir: string): CommandFacts {
  const { id, input, path, status, error, skipReason, sizeBytes, httpStatus, url, contentType, digest } =
    outcome
  return {
    // Absolute, so that no name can be taken for an option.
    path: path === undefined ? undefined : resolve(dir, path),
    name: path,
    dir,
    id,
    input,
    url: url ?? input,
    status,
    code: error?.code,
    message: error?.message,
    reason: skipReason,
    bytes: sizeBytes,
    http_status: httpStatus,
    type: contentType,
    digest: digest === undefined ? undefined : `${digest.algorithm}=${digest.value}`,
  }
}

function statusOfBook({ status }: BookResult): Outcome['status'] {
  if (status === 'done') return 'ok'
  if (status === 'unchanged' || status === 'skipped') return 'skipped'
  return status === 'unfinished' ? 'unfinished' : 'failed'
}

function factsOfBook(book: BookResult, status: string, path: string | undefined): CommandFacts {
  const { id, title, pages, missing, error } = book
  return {
    path,
    name: title,
    title,
    id,
    status,
    pages,
    missing: missing.length,
    code: error?.code,
    message: error?.message,
  }
}

function factsOfEnd(stats: JobStats, dir: string): CommandFacts {
  const { planned, ok, skipped, failed, unfinished, sizeBytes, fetchedBytes, durationMs } = stats
  return {
    dir,
    status: failed > 0 ? 'failed' : unfinished > 0 ? 'unfinished' : 'ok',
    planned,
    ok,
    skipped,
    failed,
    unfinished,
    bytes: sizeBytes,
    fetched_bytes: fetchedBytes,
    duration_ms: Math.round(durationMs),
  }
}
