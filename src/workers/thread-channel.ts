import { Worker } from 'node:worker_threads'
import { closingMessage } from './closing-message.ts'
import { LastWords } from './last-words.ts'
import type { WorkerChannel, WorkerChannelOptions } from './worker-channel.ts'

/** A worker that is a thread of this process. */
export function startThread(options: WorkerChannelOptions): WorkerChannel {
  // Flags of this process hold for its threads anyway; some of them, such as --input-type, would be refused here.
  const worker = new Worker(options.entry, { execArgv: [], stdout: true, stderr: true })
  const words = new LastWords()
  words.listen(worker.stderr)
  // What it prints is read and dropped: workers have nothing to say there.
  worker.stdout.resume()
  let closing = false
  let thrown: unknown
  const ended = new Promise<void>((resolve) => {
    worker.on('error', (error) => (thrown = error))
    worker.once('exit', (code) => {
      const reason = thrown instanceof Error ? thrown.message : words.or(`exit code ${code}`)
      options.onExit({ expected: closing, reason })
      resolve()
    })
  })
  worker.on('message', options.onMessage)
  return {
    pid: undefined,
    post: (message) => worker.postMessage(message, []),
    async close(graceMs) {
      closing = true
      worker.postMessage(closingMessage, [])
      const timer = setTimeout(() => void worker.terminate(), graceMs)
      await ended
      clearTimeout(timer)
    },
    kill: () => void worker.terminate(),
  }
}
