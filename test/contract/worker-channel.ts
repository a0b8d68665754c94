import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startWorker, type WorkerChannel, type WorkerEnd, type WorkerKind } from '../../src/workers/index.ts'

const entry = new URL('./echo-worker.ts', import.meta.url)

interface Started {
  readonly channel: WorkerChannel
  readonly messages: unknown[]
  readonly end: Promise<WorkerEnd>
  readonly ends: WorkerEnd[]
}

function start(kind: WorkerKind, module: URL = entry): Started {
  const messages: unknown[] = []
  const ends: WorkerEnd[] = []
  let ended: (end: WorkerEnd) => void = () => {}
  const end = new Promise<WorkerEnd>((resolve) => (ended = resolve))
  const channel = startWorker(kind, {
    entry: module,
    onMessage: (items) => void messages.push(...(items as unknown[])),
    onExit: (each) => {
      ends.push(each)
      ended(each)
    },
  })
  onTestFinished(() => channel.kill())
  return { channel, messages, end, ends }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

/** What every channel to a worker promises; see `WorkerChannel`. */
export function describeWorkerChannelContract(kind: WorkerKind): void {
  describe(`worker channel contract: ${kind}`, () => {
    test('messages arrive whole, in order, with all that plain data may hold', async () => {
      const { channel, messages } = start(kind)
      const values = [
        1,
        'text',
        null,
        undefined,
        -0,
        Infinity,
        10n,
        new Date(5),
        new Map([[1, new Set([2])]]),
        { deep: [{ deeper: new Uint8Array([1, 2, 3]) }] },
        'x'.repeat(1_000_000),
      ]
      for (const value of values) channel.post([{ do: 'echo', value }])
      await until(() => messages.length === values.length)
      expect(messages).toEqual(values.map((echo) => ({ echo })))
    })

    test('ten thousand messages, each once', async () => {
      const { channel, messages } = start(kind)
      for (let value = 0; value < 10_000; value++) channel.post([{ do: 'echo', value }])
      await until(() => messages.length === 10_000)
      expect(messages).toEqual(Array.from({ length: 10_000 }, (_, echo) => ({ echo })))
    })

    test('close waits for what was posted, and the end is expected', async () => {
      const { channel, messages, ends } = start(kind)
      for (let value = 0; value < 100; value++) channel.post([{ do: 'echo', value }])
      await channel.close(10_000)
      expect(messages).toHaveLength(100)
      expect(ends).toMatchObject([{ expected: true }])
    })

    test('a worker that does not end is killed after the grace', async () => {
      const { channel, ends } = start(kind)
      channel.post([{ do: 'hang' }])
      await channel.close(200)
      expect(ends).toMatchObject([{ expected: true }])
    })

    test.each([
      ['exit', 'exit code 7'],
      ['throw', /as it was told/],
    ])('a worker that ends by %s is told of', async (wish, reason) => {
      const { channel, end, ends } = start(kind)
      channel.post([{ do: wish }])
      const { expected, reason: told } = await end
      expect(expected).toBe(false)
      expect(told).toMatch(reason)
      // To the dead nothing is said, and nobody minds.
      channel.post([{ do: 'echo' }])
      channel.kill()
      await channel.close(1000)
      expect(ends).toHaveLength(1)
    })

    test('killed while it works', async () => {
      const { channel, messages, end } = start(kind)
      channel.post([{ do: 'echo' }])
      await until(() => messages.length === 1)
      channel.post([{ do: 'hang' }])
      channel.kill()
      expect(await end).toMatchObject({ expected: false })
    })

    test('a module that is not there', async () => {
      const { end } = start(kind, new URL('./no-such-worker.ts', import.meta.url))
      const { expected, reason } = await end
      expect(expected).toBe(false)
      expect(reason).toMatch(/no-such-worker/)
    })

    test('it is of this process, or not', async () => {
      const { channel, messages } = start(kind)
      channel.post([{ do: 'pid' }])
      await until(() => messages.length === 1)
      const { pid } = messages[0] as { readonly pid: number }
      if (kind === 'threads') expect([channel.pid, pid]).toEqual([undefined, process.pid])
      else expect(pid).toBe(channel.pid)
    })
  })
}
