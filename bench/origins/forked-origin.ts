import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Origin } from './origin.ts'

/** An origin of our own in a process of its own, which can be asked what it saw. */
export interface ForkedOrigin<Facts> extends Origin {
  /** Asks for what was counted since the last time, and begins to count anew. */
  takeFacts(): Promise<Facts>
}

/** Messages of the process: where it listens, then an answer to each `facts`. */
type Message<Facts> = { readonly url: string } | { readonly facts: Facts }

/** Starts a server module of this folder; `options` reach it as JSON in its first argument. */
export async function forkOrigin<Facts>(module: string, options: unknown): Promise<ForkedOrigin<Facts>> {
  const child = fork(join(import.meta.dirname, module), [JSON.stringify(options)], { execPath: 'node' })
  const exited = once(child, 'exit')
  const failed = exited.then(([code]) => {
    throw new Error(`the origin ${module} ended with code ${code}`)
  })
  failed.catch(() => {})
  const next = async (): Promise<Message<Facts>> => {
    const answer = await Promise.race([once(child, 'message'), failed])
    const message: Message<Facts> = answer[0]
    return message
  }
  const first = await next()
  if (!('url' in first)) throw new Error(`the origin ${module} did not say where it listens`)
  return {
    url: first.url,
    async takeFacts() {
      const answer = next()
      child.send('facts')
      const message = await answer
      if (!('facts' in message)) throw new Error(`the origin ${module} did not answer`)
      return message.facts
    },
    async close() {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

/** The other side: tells where the server listens, answers `facts`, and ends when the benchmark does. */
export function serveForked(url: string, takeFacts: () => unknown): void {
  process.on('message', () => process.send?.({ facts: takeFacts() }))
  process.on('disconnect', () => process.exit(0))
  process.send?.({ url })
}
