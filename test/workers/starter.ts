/** Starts a worker process that hangs about, says its id, and stays. */
import { startWorker } from '../../src/workers/index.ts'

const channel = startWorker('processes', {
  entry: new URL('../contract/echo-worker.ts', import.meta.url),
  onMessage: () => process.stdout.write(`${channel.pid}\n`),
  onExit: () => {},
})
channel.post([{ do: 'echo' }])
setTimeout(() => {}, 60_000)
