import { closeSync, openSync, statSync, writeSync, type BigIntStats } from 'node:fs'
import { TrawlError, type Outcome, type TaskRequest } from '../core/index.ts'
import { storageError } from './storage-error.ts'

const bufferChars = 64 * 1024

/** One line of a report: version 1, see docs/formats.md. */
export interface ReportLine {
  readonly input: string
  readonly path?: string
  readonly status: Outcome['status']
  readonly code?: string
  readonly message?: string
  readonly reason?: string
  readonly bytes: number
  readonly ms: number
  readonly attempts: number
  readonly digest?: string
  /** Of failed and unfinished items: what `trawl retry` needs beyond the input. */
  readonly id?: string
  readonly ordinal?: number
  readonly request?: TaskRequest
  readonly [extra: string]: unknown
}

/** What is in the way of a report is no matter of an output folder: it needs a hint of its own. */
function notCreated(cause: unknown, path: string): TrawlError {
  const error = storageError(cause, { path, doing: 'create the report' })
  if (error.scope === 'volume') return error
  const hint = 'Give another file with --report, in a folder that is there.'
  return new TrawlError('ERR_IO', error.message, {
    cause,
    context: error.context,
    retry: 'never',
    scope: 'job',
    hint,
  })
}

/** Writes a report: one JSON line for each item, in the order in which they end. */
export class ReportFile {
  readonly path: string
  readonly #fd: number
  #buffer = ''

  /**
   * Replaces what stands there, unless it is one of the `inputs`, which are yet to be read: ERR_USAGE. Throws storage
   * errors.
   */
  constructor(path: string, inputs: readonly string[] = []) {
    this.path = path
    for (const input of inputs) refuseSame(path, input)
    try {
      this.#fd = openSync(path, 'w')
    } catch (error) {
      throw notCreated(error, path)
    }
  }

  add(outcome: Outcome, extra: Readonly<Record<string, unknown>> = {}): void {
    this.addLine({ ...reportLineOf(outcome), ...extra })
  }

  /** A line of another form, such as that of `trawl verify`. */
  addLine(line: object): void {
    this.#buffer += `${JSON.stringify(line)}\n`
    if (this.#buffer.length >= bufferChars) this.#flush()
  }

  close(): void {
    try {
      this.#flush()
    } finally {
      closeSync(this.#fd)
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffer)
    try {
      // A volume that is nearly full, or a pipe, may take a part of them.
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at)
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'write the report' })
    }
    this.#buffer = ''
  }
}

/** Inputs may be anything, such as addresses. */
function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false, bigint: true })
  } catch {
    return undefined
  }
}

function refuseSame(path: string, input: string): void {
  const [report, read] = [look(path), look(input)]
  if (!report?.isFile() || !read || report.ino !== read.ino || report.dev !== read.dev) return
  throw new TrawlError('ERR_USAGE', `--report would write over ${input}, which is read`, {
    hint: 'Give the report another name.',
    context: { path },
  })
}

function reportLineOf(outcome: Outcome): ReportLine {
  const { input, path, status, error, skipReason, sizeBytes, durationMs, attempts, digest, request } = outcome
  const isLeft = status === 'failed' || status === 'unfinished'
  return {
    input,
    ...(path === undefined ? {} : { path }),
    status,
    ...(error ? { code: error.code, message: error.message } : {}),
    ...(skipReason === undefined ? {} : { reason: skipReason }),
    bytes: sizeBytes,
    ms: Math.round(durationMs),
    attempts,
    ...(digest ? { digest: `${digest.algorithm}=${digest.value}` } : {}),
    ...(isLeft ? { id: outcome.id, ordinal: outcome.ordinal } : {}),
    ...(request ? { request } : {}),
  }
}
