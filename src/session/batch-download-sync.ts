import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { GetInput as GetOptionsInput } from '../config/index.ts'
import { fromErrorData, TrawlError, type ErrorData, type JobStats, type Outcome } from '../core/index.ts'
import type { GetInput } from '../files/index.ts'
import { batchResult, type BatchResult } from './batch-download.ts'
import { plainData } from './plain-data.ts'

/** Options of `batchDownloadSync`: those of `batchDownload` that are data. */
export type BatchSyncOptions = GetOptionsInput

/** What the thread that downloads leaves behind. */
export type SyncAnswer =
  | { readonly items: readonly Outcome[]; readonly stats: JobStats }
  | { readonly error: ErrorData }

/** What the thread that downloads is given. */
export interface SyncWork {
  readonly urls: readonly GetInput[]
  readonly options: BatchSyncOptions
  /** The first number is 1 once the answer is there; the second grows while the thread lives. */
  readonly state: Int32Array
  readonly port: MessagePort
}

type MessagePort = MessageChannel['port1']

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** Beside this module in the sources, and beside the bundle where it is built. */
const entry = new URL(`./sync-worker.${extension}`, import.meta.url)
const lookEveryMs = 30_000
/** So many looks in a row without a sign of life, and the thread counts as dead. */
const mostSilentLooks = 4

/**
 * Downloads files and returns when all have ended: `batchDownload` for programs that cannot wait in another way, such
 * as configuration files and scripts. A thread does the work; the calling thread, which may be a worker itself, stands
 * still meanwhile: no timer fires and no promise goes on in it.
 *
 * Functions cannot be called while their thread stands still: hooks, `onProgress`, `output`, `signal`, `stdin` and
 * asynchronous input are refused with ERR_MODE_UNSUPPORTED. Throws the TrawlError that ended the whole batch, and
 * ERR_WORKERS_FAILED where the thread died.
 */
export function batchDownloadSync(urls: Iterable<GetInput>, options: BatchSyncOptions = {}): BatchResult {
  const state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
  const { port1: ours, port2: theirs } = new MessageChannel()
  const work: SyncWork = {
    urls: plainData(listOf(urls), 'the input') as readonly GetInput[],
    options: plainData(options, 'the options') as BatchSyncOptions,
    state,
    port: theirs,
  }
  const worker = new Worker(entry, { workerData: work, transferList: [theirs], execArgv: [] })
  worker.unref()
  try {
    waitFor(state)
    const answer = receiveMessageOnPort(ours)?.message as SyncAnswer | undefined
    if (answer && 'items' in answer) return batchResult(answer.items, answer.stats)
    throw answer ? fromErrorData(answer.error) : died()
  } finally {
    ours.close()
    void worker.terminate()
  }
}

function listOf(urls: Iterable<GetInput>): readonly GetInput[] {
  if (Symbol.iterator in Object(urls)) return [...urls]
  throw new TrawlError('ERR_MODE_UNSUPPORTED', 'batchDownloadSync takes input that is there at once', {
    hint: 'Give an array, or use batchDownload, which reads asynchronous input.',
  })
}

/** Stands still until the answer is there. */
function waitFor(state: Int32Array): void {
  let beats = 0
  for (let silent = 0; Atomics.wait(state, 0, 0, lookEveryMs) === 'timed-out';) {
    const now = Atomics.load(state, 1)
    silent = now === beats ? silent + 1 : 0
    beats = now
    if (silent >= mostSilentLooks) throw died()
  }
}

function died(): TrawlError {
  return new TrawlError('ERR_WORKERS_FAILED', 'the thread that downloads died', {
    hint: 'What is on disk is kept: call again to go on. Use batchDownload if it happens again.',
  })
}
