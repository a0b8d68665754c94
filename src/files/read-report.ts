import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  isErrorCode,
  taskId,
  TrawlError,
  type ErrorCode,
  type TaskId,
  type TaskRequest,
} from '../core/index.ts'
import { storageError } from '../storage/index.ts'

/** A failed or unfinished item of a report. */
export interface ReportedItem {
  readonly id: TaskId
  readonly ordinal: number
  readonly status: 'failed' | 'unfinished'
  readonly input: string
  readonly path?: string
  readonly code?: ErrorCode
  readonly message?: string
  readonly request?: TaskRequest
  /** The folder that the report speaks of. */
  readonly dir?: string
  /** The name template of its run. */
  readonly name?: string
}

interface Line {
  readonly input: string
  readonly status: string
  readonly [extra: string]: unknown
}

/**
 * The failed and unfinished items of a report of `trawl get`, in its order, lazily. A last line that was cut off is
 * passed over. Throws ERR_INPUT_UNREADABLE, naming the line, for what is no such report, and storage errors.
 */
export async function* readReport(path: string): AsyncGenerator<ReportedItem, void, undefined> {
  const input = createReadStream(path, 'utf8')
  let number = 0
  /** A line that is no report line: a fault as soon as another follows it. */
  let bad: TrawlError | undefined
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      number++
      if (text.trim() === '') continue
      if (bad) throw bad
      const line = parseLine(text)
      if (!line) {
        bad = foreign(path, number)
        if (number === 1) throw bad
        continue
      }
      if ('book' in line) throw ofBook(path)
      const item = itemOf(line, number)
      if (item) yield item
    }
  } catch (error) {
    throw storageError(error, { path, doing: 'read the report' })
  } finally {
    input.destroy()
  }
}

function parseLine(text: string): Line | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isLine(value) ? value : undefined
}

function isLine(value: unknown): value is Line {
  return (
    typeof value === 'object' &&
    value !== null &&
    'input' in value &&
    typeof value.input === 'string' &&
    'status' in value &&
    typeof value.status === 'string' &&
    ['ok', 'skipped', 'failed', 'unfinished'].includes(value.status)
  )
}

function itemOf(line: Line, number: number): ReportedItem | undefined {
  const { status, input } = line
  if (status !== 'failed' && status !== 'unfinished') return undefined
  const text = (name: string): string | undefined => {
    const value = line[name]
    return typeof value === 'string' ? value : undefined
  }
  const { ordinal, request } = line
  const [id, path, code, message] = [text('id'), text('path'), text('code'), text('message')]
  const [dir, name] = [text('dir'), text('name')]
  return {
    id: id ?? taskId('file', { kind: 'mirrors', places: [{ url: input }] }, {}, 0),
    ordinal: typeof ordinal === 'number' ? ordinal : number - 1,
    status,
    input,
    ...(path === undefined ? {} : { path }),
    ...(code === undefined ? {} : { code: isErrorCode(code) ? code : 'ERR_INTERNAL' }),
    ...(message === undefined ? {} : { message }),
    ...(isRequest(request) ? { request } : {}),
    ...(dir === undefined ? {} : { dir }),
    ...(name === undefined ? {} : { name }),
  }
}

/** What our own reports carry; its parts are checked where tasks are made of them. */
function isRequest(value: unknown): value is TaskRequest {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function foreign(path: string, line: number): TrawlError {
  return new TrawlError('ERR_INPUT_UNREADABLE', `${path}: line ${line} is no line of a report of trawl`, {
    context: { file: path, line },
    hint: 'Give a file that --report wrote, or the output folder. Lists of URLs are for `trawl get -i`.',
  })
}

function ofBook(path: string): TrawlError {
  return new TrawlError('ERR_INPUT_UNREADABLE', `${path} is the report of a book`, {
    context: { file: path },
    hint: 'Run the same `trawl book` command again: only missing pages are fetched.',
  })
}
