/** Calls `batchDownloadSync` in a worker and says how many files came. */
import { parentPort, workerData } from 'node:worker_threads'
import { batchDownloadSync } from '../../src/session/index.ts'

const { urls, dir } = workerData as { readonly urls: readonly string[]; readonly dir: string }
parentPort?.postMessage({ ok: batchDownloadSync(urls, { dir }).stats.ok }, [])
