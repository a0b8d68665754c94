import { murmur128, toTrawlError, TrawlError } from '../core/index.ts'
import { parseChecksum, type GetOptions } from '../config/index.ts'
import type { InputTask, RefusedTask } from '../engine/index.ts'
import { isListFault, parseUrlPattern, readUrlList, type ListEntry } from '../sources/index.ts'
import { createTaskMaker, type FileRequest } from './file-tasks.ts'
import type { GetInput, GetSpec } from './get-spec.ts'

const batchSize = 256

/**
 * Everything a get job is asked for, as tasks, lazily: the addresses given, then the lists. What is wrong with one
 * address or line becomes a refused task and stops nothing else. Throws ERR_INPUT_UNREADABLE for a list that
 * cannot be read.
 */
export async function* readTasks(
  spec: GetSpec,
  tell: { readonly notice: (message: string) => void; readonly signal: AbortSignal },
): AsyncGenerator<readonly InputTask[], void, undefined> {
  const { options } = spec
  const requestOf = createRequestMaker(options)
  const common = commonHeaders(options)
  const makeTask = createTaskMaker()
  let refusals = 0
  const taskOf = (make: () => FileRequest): InputTask => {
    try {
      return makeTask(make())
    } catch (error) {
      return refuse(toTrawlError(error), '', refusals++)
    }
  }
  for await (const batch of batched(spec.inputs)) {
    let tasks: InputTask[] = []
    for (const input of batch) {
      for (const each of expand(input)) {
        tasks.push(
          withInput(
            taskOf(() => requestOf(each())),
            input,
          ),
        )
        if (tasks.length < batchSize) continue
        yield tasks
        tasks = []
      }
    }
    if (tasks.length > 0) yield tasks
  }
  for (const name of options.inputFile) {
    const list = readUrlList(name === '-' ? (spec.stdin ?? noInput()) : name, {
      ...(name === '-' ? { name: 'standard input' } : {}),
      ...tell,
    })
    for await (const entries of list) {
      yield entries.map((entry: ListEntry) =>
        isListFault(entry)
          ? refuse(entry.error, entry.text, refusals++)
          : taskOf(() => ({
              places: entry.places,
              ...common,
              ...(entry.options ? requestOptions(entry.options, common.headers) : {}),
              ...(options.split === 'auto' || entry.options?.split !== undefined
                ? {}
                : { split: options.split }),
            })),
      )
    }
  }
}

function createRequestMaker(options: GetOptions): (input: GetInput) => FileRequest {
  const checksum = options.checksum === undefined ? undefined : parseChecksum(options.checksum)
  const common: Partial<FileRequest> = {
    ...(options.out === undefined || options.out === '-' ? {} : { target: { path: options.out } }),
    ...(checksum ? { digests: [checksum] } : {}),
    ...(options.split === 'auto' ? {} : { split: options.split }),
    ...commonHeaders(options),
  }
  return (input) => {
    if (typeof input === 'string' || input instanceof URL)
      return { places: [{ url: checkUrl(input) }], ...common }
    const { path, ...rest } = input
    const urls = 'urls' in rest ? rest.urls : [rest.url]
    const target = path === undefined ? rest.target : { ...rest.target, path }
    return {
      ...common,
      ...withoutAddresses(rest),
      places: urls.map((url) => ({ url: checkUrl(url) })),
      ...(target ? { target } : {}),
    }
  }
}

function withoutAddresses(input: object): Partial<FileRequest> {
  const { url: _url, urls: _urls, ...rest } = input as { url?: unknown; urls?: unknown }
  return rest
}

function checkUrl(given: string | URL): string {
  const text = String(given)
  const url = URL.parse(text)
  if (!url) throw new TrawlError('ERR_URL_INVALID', `not a URL: ${text}`, { context: { url: text } })
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TrawlError('ERR_URL_SCHEME', `${url.protocol} is not supported: ${text}`, {
      context: { url: text },
    })
  }
  return text
}

/** One input as the many that a pattern stands for, lazily. Other forms than text are never patterns. */
function* expand(input: GetInput): Generator<() => GetInput, void, undefined> {
  if (typeof input !== 'string' || !/[[{]/.test(input)) {
    yield () => input
    return
  }
  let urls: Iterable<{ readonly url: string }>
  try {
    urls = parseUrlPattern(input).expand()
  } catch (error) {
    yield () => {
      throw error
    }
    return
  }
  for (const { url } of urls) yield () => url
}

/** Headers that the user wants sent with every file. */
function commonHeaders(options: GetOptions): { readonly headers?: Readonly<Record<string, string>> } {
  const headers = {
    ...Object.fromEntries(
      Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    ...(options.referer === undefined ? {} : { referer: options.referer }),
  }
  return Object.keys(headers).length === 0 ? {} : { headers }
}

function requestOptions(
  options: NonNullable<Exclude<ListEntry, { error: unknown }>['options']>,
  commonHeaders: Readonly<Record<string, string>> | undefined,
): Partial<FileRequest> {
  const { out, dir, digests, headers, split, limitRateBps } = options
  const target = { ...(out === undefined ? {} : { path: out }), ...(dir === undefined ? {} : { dir }) }
  return {
    ...(out === undefined && dir === undefined ? {} : { target }),
    ...(digests ? { digests } : {}),
    ...(headers ? { headers: { ...commonHeaders, ...headers } } : {}),
    ...(split === undefined ? {} : { split }),
    ...(limitRateBps === undefined ? {} : { limitRateBps }),
  }
}

function refuse(error: TrawlError, input: string, number: number): RefusedTask {
  return { id: murmur128(`refused\n${number}\n${input}`), ordinal: number, input, refused: error }
}

function withInput(task: InputTask, input: GetInput): InputTask {
  if (!('refused' in task)) return task
  return { ...task, input: typeof input === 'string' ? input : inputText(input) }
}

function inputText(input: Exclude<GetInput, string>): string {
  if (input instanceof URL) return input.href
  return String('url' in input ? input.url : (input.urls[0] ?? ''))
}

async function* batched(inputs: GetSpec['inputs']): AsyncGenerator<readonly GetInput[], void, undefined> {
  let batch: GetInput[] = []
  // A batch never waits for more: a slow producer's first file starts at once.
  if (Symbol.asyncIterator in inputs) {
    for await (const input of inputs) yield [input]
    return
  }
  for (const input of inputs) {
    batch.push(input)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function noInput(): never {
  throw new TrawlError('ERR_INPUT_UNREADABLE', 'standard input was not given to the library')
}
