/** What the thread behind `batchDownloadSync` runs. An entry of its own; nothing imports it. */
import { workerData } from 'node:worker_threads'
import { toTrawlError } from '../core/index.ts'
import type { SyncAnswer, SyncWork } from './batch-download-sync.ts'
import { batchDownload } from './batch-download.ts'

const beatEveryMs = 5000
const { urls, options, state, port } = workerData as SyncWork

const timer = setInterval(() => Atomics.add(state, 1, 1), beatEveryMs)
// Also where this thread ends without an answer, the other is not to wait for one.
process.on('exit', wake)

const answer: SyncAnswer = await batchDownload(urls, options).then(
  (result) => ({ items: [...result], stats: result.stats }),
  (error: unknown) => ({ error: toTrawlError(error).toJSON() }),
)
port.postMessage(answer, [])
clearInterval(timer)
wake()

function wake(): void {
  Atomics.store(state, 0, 1)
  Atomics.notify(state, 0)
}
