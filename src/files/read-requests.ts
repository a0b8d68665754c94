import {
  digestAlgorithms,
  headerFault,
  murmur128,
  toTrawlError,
  TrawlError,
  type Digest,
  type DownloadTask,
  type Locator,
} from '../core/index.ts'
import { parseChecksum, type GetOptions } from '../config/index.ts'
import type { InputTask, RefusedTask } from '../engine/index.ts'
import { isListFault, parseUrlPattern, readFileList, type ListEntry } from '../sources/index.ts'
import { createTaskMaker, type FileRequest } from './file-tasks.ts'
import type { GetInput, GetInputs, GetSpec } from './get-spec.ts'
import { headersOf, withHostOptions, withoutHostOptions } from './host-requests.ts'
import { checkInputFields } from './input-fields.ts'
import { MetalinkDocuments, type FetchOfTask } from './metalink-documents.ts'
import { urlOf } from './url-of.ts'

const batchSize = 256

export interface ReadTasksContext {
  readonly notice: (message: string) => void
  /** Fetches a Metalink that an address leads to. */
  readonly fetchOfTask: FetchOfTask
  readonly signal: AbortSignal
}

/**
 * Everything a get job is asked for, as tasks, lazily: the addresses given, then the lists, with the files of a
 * Metalink in its place or soon after. What is wrong with one address, line or document becomes a refused task and
 * stops nothing else; a list that cannot be read stops none of the others. Throws ERR_INPUT_UNREADABLE for it at the
 * end.
 */
export function readTasks(spec: GetSpec, context: ReadTasksContext): AsyncIterable<readonly InputTask[]> {
  return createTaskReader(spec, context).read()
}

/** Reads the inputs of a job, and those that are added while it runs: one order and one set of identities for all. */
export interface TaskReader {
  read(): AsyncIterable<readonly InputTask[]>
  /** Further inputs as tasks, in the same way. */
  add(inputs: GetInputs): AsyncIterable<readonly InputTask[]>
  /** Whether an answer of this kind to a task is a Metalink to be followed, and what it lists. */
  isFollowed(task: DownloadTask, contentType: string | undefined): boolean
  follow(task: DownloadTask): AsyncIterable<readonly InputTask[]>
}

/** A reader of tasks as `readTasks` has them. */
export function createTaskReader(spec: GetSpec, context: ReadTasksContext): TaskReader {
  const maker = new InputTaskMaker(spec)
  const documents = new MetalinkDocuments({
    ...context,
    follow: spec.options.followMetalink,
    taskOf: (entry) => maker.ofEntry(entry),
    refuse: (error, input) => maker.refuse(error, input),
  })
  return {
    read: () => documents.expand(listedTasks(spec, maker, context)),
    add: (inputs) => documents.expand(givenTasks(inputs, maker)),
    isFollowed: (task, contentType) => documents.isFollowed(task, contentType),
    follow: (task) => documents.follow(task),
  }
}

async function* listedTasks(
  spec: GetSpec,
  maker: InputTaskMaker,
  { notice, signal }: ReadTasksContext,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  yield* givenTasks(spec.inputs, maker)
  let unreadable: TrawlError | undefined
  for (const name of spec.options.inputFile) {
    try {
      const list = readFileList(name === '-' ? (spec.stdin ?? noInput()) : name, {
        ...(name === '-' ? { name: 'standard input' } : {}),
        notice,
        signal,
      })
      for await (const entries of list) yield entries.map((entry) => maker.ofEntry(entry))
    } catch (error) {
      const failure = toTrawlError(error)
      if (failure.code !== 'ERR_INPUT_UNREADABLE') throw failure
      if (unreadable) notice(unreadable.message)
      unreadable = failure
    }
  }
  if (unreadable) throw unreadable
}

async function* givenTasks(
  inputs: GetInputs,
  maker: InputTaskMaker,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  for await (const batch of batched(inputs)) {
    let tasks: InputTask[] = []
    for (const input of batch) {
      for (const each of expand(input)) {
        tasks.push(maker.ofInput(each, input))
        if (tasks.length < batchSize) continue
        yield tasks
        tasks = []
      }
    }
    if (tasks.length > 0) yield tasks
  }
}

/** Makes tasks of what a user gave, in order; what cannot be one has its place in the order too. */
class InputTaskMaker {
  readonly #options: GetOptions
  readonly #requestOf: (input: GetInput) => FileRequest
  readonly #taskOf = createTaskMaker()
  readonly #optionsOf: GetSpec['optionsOf']
  readonly #common: ReturnType<typeof commonOptions>
  #ordinal = 0

  constructor({ options: given, optionsOf }: GetSpec) {
    const options = optionsOf ? withoutHostOptions(given) : given
    this.#options = options
    this.#optionsOf = optionsOf
    this.#requestOf = createRequestMaker(options)
    this.#common = commonOptions(options)
  }

  ofInput(give: () => GetInput, input: GetInput): InputTask {
    return this.#make(
      () => this.#requestOf(give()),
      () => inputText(input),
    )
  }

  ofEntry(entry: ListEntry): InputTask {
    if (isListFault(entry)) return this.refuse(entry.error, entry.text)
    const { places, options } = entry
    const split = splitOf(entry, this.#options.split)
    return this.#make(
      () => ({
        locator: { kind: 'mirrors', places },
        ...this.#common,
        ...(options ? requestOptions(options, this.#common.headers) : {}),
        ...(split === undefined ? {} : { split }),
      }),
      () => places[0]?.url ?? '',
    )
  }

  /** What cannot be a task, in its place. */
  refuse(error: TrawlError, input: string): InputTask {
    return refuse(error, input, this.#ordinal++)
  }

  #make(request: () => FileRequest, input: () => string): InputTask {
    const ordinal = this.#ordinal++
    try {
      const wanted = request()
      return this.#taskOf(this.#optionsOf ? withHostOptions(wanted, this.#optionsOf) : wanted, ordinal)
    } catch (error) {
      return refuse(toTrawlError(error), input(), ordinal)
    }
  }
}

function createRequestMaker(options: GetOptions): (input: GetInput) => FileRequest {
  const checksum = options.checksum === undefined ? undefined : parseChecksum(options.checksum)
  const common: Partial<FileRequest> = {
    ...(options.out === undefined || options.out === '-' ? {} : { target: { path: options.out } }),
    ...(checksum ? { digests: [checksum] } : {}),
    ...(options.split === 'auto' ? {} : { split: options.split }),
    ...commonOptions(options),
  }
  return (input) => {
    if (typeof input === 'string' || input instanceof URL)
      return { locator: { kind: 'mirrors', places: [{ url: urlOf(input) }] }, ...common }
    if (typeof input !== 'object' || input === null) throw noAddress(input)
    checkInputFields(input)
    const { path, headers, digests, checksum, ...rest } = input
    const expected = digestsOf(digests, checksum)
    const target = path === undefined ? rest.target : { ...rest.target, path }
    return {
      ...common,
      ...withoutAddresses(rest),
      locator: locatorOf(input),
      ...(target ? { target } : {}),
      ...(expected ? { digests: expected } : {}),
      ...(headers ? { headers: { ...common.headers, ...lowerCased(headers) } } : {}),
    }
  }
}

/** Where the file is that an object describes: at addresses, or where a reference leads. */
function locatorOf(input: Extract<GetInput, object>): Locator {
  const { url, urls, source, ref } = input as Readonly<Record<string, unknown>>
  if (url === undefined && urls === undefined && source !== undefined) {
    if (typeof source !== 'string' || typeof ref !== 'string' || source === '') throw noAddress(input)
    return { kind: 'source', source, ref }
  }
  const given: unknown = urls ?? [url]
  if (!Array.isArray(given) || given.length === 0) throw noAddress(input)
  return { kind: 'mirrors', places: given.map((each) => ({ url: urlOf(each) })) }
}

/** Digests that a caller gave with a file. Throws ERR_INPUT_INVALID naming the one that is none. */
function digestsOf(
  digests: readonly Digest[] | undefined,
  checksum: string | undefined,
): readonly Digest[] | undefined {
  if (digests === undefined && checksum === undefined) return undefined
  const texts = [
    ...(digests ?? []).map((each) => `${each?.algorithm}=${each?.value}`),
    ...(checksum === undefined ? [] : [checksum]),
  ]
  return texts.map((text) => {
    const digest = parseChecksum(text)
    if (digest) return digest
    throw new TrawlError('ERR_INPUT_INVALID', `not a checksum: ${text.slice(0, 200)}`, {
      hint: `Give an algorithm (${digestAlgorithms.join(', ')}) and its hexadecimal digits.`,
      context: { field: 'checksum' },
    })
  })
}

function noAddress(input: unknown): TrawlError {
  return new TrawlError('ERR_URL_INVALID', `not an address: ${JSON.stringify(input)}`)
}

/** Headers that a caller gave with a file. Throws ERR_INPUT_INVALID naming the one that cannot be sent. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([given, value]) => {
      const name = given.toLowerCase()
      const fault = headerFault(name, value)
      if (fault === undefined) return [name, value]
      throw new TrawlError('ERR_INPUT_INVALID', `headers: ${fault}`, {
        hint: 'Leave it out, or give another value.',
        context: { field: 'headers' },
      })
    }),
  )
}

function withoutAddresses(input: object): Partial<FileRequest> {
  const {
    url: _url,
    urls: _urls,
    source: _source,
    ref: _ref,
    pieces: _pieces,
    ...rest
  } = input as Readonly<Record<string, unknown>>
  return rest
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

/** What the user wants for every file. */
function commonOptions(options: GetOptions): Pick<FileRequest, 'headers' | 'digestAlgorithm'> {
  const headers = headersOf(options)
  return {
    ...(headers === undefined ? {} : { headers }),
    ...(options.digest === undefined ? {} : { digestAlgorithm: options.digest }),
  }
}

function requestOptions(
  options: NonNullable<Exclude<ListEntry, { error: unknown }>['options']>,
  commonHeaders: Readonly<Record<string, string>> | undefined,
): Partial<FileRequest> {
  const { out, dir, digests, pieces, sizeBytes, headers, limitRateBps } = options
  const target = { ...(out === undefined ? {} : { path: out }), ...(dir === undefined ? {} : { dir }) }
  return {
    ...(out === undefined && dir === undefined ? {} : { target }),
    ...(digests ? { digests } : {}),
    ...(pieces ? { pieces } : {}),
    ...(sizeBytes === undefined ? {} : { expectedSizeBytes: sizeBytes }),
    ...(headers ? { headers: { ...commonHeaders, ...headers } } : {}),
    ...(limitRateBps === undefined ? {} : { limitRateBps }),
  }
}

/** Connections for a file of a list: as the list says, else as the flag, and no more than the list allows its servers. */
function splitOf(
  { places, options }: Exclude<ListEntry, { error: unknown }>,
  ofAll: GetOptions['split'],
): number | undefined {
  const wanted = options?.split ?? (ofAll === 'auto' ? undefined : ofAll)
  const most = options?.maxConnectionsPerServer
  return most === undefined ? wanted : Math.min(wanted ?? Infinity, most * places.length)
}

function refuse(error: TrawlError, input: string, ordinal: number): RefusedTask {
  return { id: murmur128(`refused\n${ordinal}\n${input}`), ordinal, input, refused: error }
}

/** The input as a report names it. */
function inputText(input: unknown): string {
  if (typeof input !== 'object' || input === null || input instanceof URL) return String(input)
  const { url, urls, source, ref } = input as Readonly<Record<string, unknown>>
  if (url === undefined && urls === undefined && source !== undefined)
    return typeof source === 'string' && typeof ref === 'string' ? `${source}:${ref}` : JSON.stringify(input)
  return String(url ?? (Array.isArray(urls) ? (urls[0] ?? '') : ''))
}

async function* batched(inputs: GetInputs): AsyncGenerator<readonly GetInput[], void, undefined> {
  // Text can be iterated too, letter by letter, which is never what was meant.
  if (typeof inputs === 'string' || inputs instanceof URL) {
    yield [inputs]
    return
  }
  let batch: GetInput[] = []
  // A batch never waits for more: a slow producer's first file starts at once.
  if (Symbol.asyncIterator in inputs) {
    for await (const input of inputs) yield [input]
    return
  }
  let failure: { readonly thrown: unknown } | undefined
  try {
    for (const input of inputs) {
      batch.push(input)
      if (batch.length < batchSize) continue
      yield batch
      batch = []
    }
  } catch (thrown) {
    failure = { thrown }
  }
  if (batch.length > 0) yield batch
  // What it gave before is wanted all the same.
  if (failure) throw failure.thrown
}

function noInput(): never {
  throw new TrawlError('ERR_INPUT_UNREADABLE', 'standard input was not given to the library')
}
