import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TrawlError } from '../../src/core/index.ts'
import { Outbox, WorkerPool, type PoolWorker, type WorkerKind } from '../../src/workers/index.ts'

interface Wish {
  readonly do: string
  readonly value?: unknown
}

function open(kind: WorkerKind, count: number) {
  const items: { readonly item: unknown; readonly worker: PoolWorker<Wish> }[] = []
  const lost: { readonly worker: PoolWorker<Wish>; readonly reason: string }[] = []
  const failures: TrawlError[] = []
  const pool = new WorkerPool<Wish, unknown>({
    kind,
    count,
    entry: new URL('../contract/echo-worker.ts', import.meta.url),
    greeting: () => ({ do: 'echo', value: 'hello' }),
    onItem: (item, worker) => void items.push({ item, worker }),
    onLost: (worker, reason) => void lost.push({ worker, reason }),
    onFailed: (error) => void failures.push(error),
  })
  onTestFinished(() => pool.close())
  return { pool, items, lost, failures }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

describe.each(['threads', 'processes'] as const)('a pool of %s', (kind) => {
  test('starts workers as there is work for them, and no more than it may', async () => {
    const { pool, items } = open(kind, 2)
    expect(pool.workers).toHaveLength(0)
    const first = pool.pick()
    expect(pool.pick()).toBe(first)
    first.load++
    const second = pool.pick()
    expect(second).not.toBe(first)
    second.load += 2
    expect(pool.pick()).toBe(first)
    expect(pool.workers).toHaveLength(2)
    await until(() => items.length === 2)
    expect(items.map((each) => each.item)).toEqual([{ echo: 'hello' }, { echo: 'hello' }])
  })

  test('the same key goes to the same worker, as long as the work stays even', () => {
    const { pool } = open(kind, 2)
    const first = pool.pick()
    first.load = 100
    const second = pool.pick()
    second.load = 100
    const keys = Array.from({ length: 20 }, (_, n) => `host-${n}.example`)
    const chosen = keys.map((key) => pool.pick(key))
    expect(new Set(chosen)).toEqual(new Set([first, second]))
    first.load = 110
    second.load = 105
    expect(keys.map((key) => pool.pick(key))).toEqual(chosen)
    first.load = 140
    expect(new Set(keys.map((key) => pool.pick(key)))).toEqual(new Set([second]))
  })

  test('items for all but one', async () => {
    const { pool, items } = open(kind, 2)
    const first = pool.pick()
    first.load++
    const second = pool.pick()
    pool.postAll({ do: 'echo', value: 'news' }, first)
    await until(() => items.length === 3)
    expect(items.filter((each) => (each.item as { echo: string }).echo === 'news')).toMatchObject([
      { worker: second },
    ])
  })

  test('a worker that dies is told of, and another is started when there is work', async () => {
    const { pool, items, lost, failures } = open(kind, 1)
    const first = pool.pick()
    await until(() => items.length === 1)
    first.kill()
    await until(() => lost.length === 1)
    expect(lost[0]?.worker).toBe(first)
    expect(pool.workers).toHaveLength(0)
    expect(pool.pick()).not.toBe(first)
    await until(() => items.length === 2)
    expect(failures).toEqual([])
  })

  test('gives up when workers die in a row', async () => {
    const { pool, lost, failures } = open(kind, 1)
    for (let times = 1; times <= 5; times++) {
      pool.pick().post({ do: 'exit' })
      await until(() => lost.length === times)
    }
    expect(failures).toMatchObject([{ code: 'ERR_WORKERS_FAILED', exitCode: 3 }])
    expect(failures[0]?.message).toMatch(/5 worker (threads|processes) died in a row.*exit code 7/)
    expect(() => pool.pick()).toThrow(failures[0])
  })

  test('does not give up while work gets done', async () => {
    const { pool, lost, failures } = open(kind, 1)
    for (let times = 1; times <= 7; times++) {
      pool.pick().post({ do: 'exit' })
      await until(() => lost.length === times)
      pool.worked()
    }
    expect(failures).toEqual([])
  })

  test('close ends all of them, also one that hangs; nothing is given to it any more', async () => {
    const { pool, lost } = open(kind, 2)
    const first = pool.pick()
    first.load++
    pool.pick()
    await pool.close()
    expect(lost).toEqual([])
    expect(() => pool.pick()).toThrow('closed')
  })
})

describe('an outbox', () => {
  test('sends what one turn of the event loop brings as one, and no more than 256', async () => {
    const sent: number[] = []
    const outbox = new Outbox<number>((items) => void sent.push(items.length))
    for (let n = 0; n < 600; n++) outbox.add(n)
    expect(sent).toEqual([256, 256])
    await new Promise(setImmediate)
    expect(sent).toEqual([256, 256, 88])
    outbox.flush()
    await new Promise(setImmediate)
    expect(sent).toHaveLength(3)
  })
})
