import { describe, expect, it } from 'vitest'
import { mapOrdered } from '../../src/sources/ordered.ts'

const never = new AbortController().signal

describe('mapOrdered', () => {
  it('keeps the order whatever finishes first, and looks no further ahead than told', async () => {
    const started: number[] = []
    let most = 0
    let running = 0
    const map = async (n: number): Promise<number> => {
      started.push(n)
      most = Math.max(most, ++running)
      for (let i = 0; i < 10 - n; i++) await Promise.resolve()
      running--
      return n * 10
    }
    const seen: number[] = []
    for await (const value of mapOrdered([0, 1, 2, 3, 4, 5, 6], map, { ahead: 2, signal: never })) {
      if (seen.length === 0) expect(started).toEqual([0, 1, 2])
      seen.push(value)
    }
    expect(seen).toEqual([0, 10, 20, 30, 40, 50, 60])
    expect(most).toBe(3)
  })

  it('reports a failure in its turn, and stops the others', async () => {
    const signals: AbortSignal[] = []
    const map = (n: number, signal: AbortSignal): Promise<number> => {
      signals.push(signal)
      return n === 1 ? Promise.reject(new Error('one')) : Promise.resolve(n)
    }
    const run = mapOrdered([0, 1, 2, 3, 4, 5], map, { ahead: 2, signal: never })
    expect((await run.next()).value).toBe(0)
    await expect(run.next()).rejects.toThrow('one')
    expect(signals.length).toBeLessThan(5)
    expect(signals.every((signal) => signal.aborted)).toBe(true)
  })

  it('stops what is in flight when the reader leaves', async () => {
    const signals: AbortSignal[] = []
    const map = (n: number, signal: AbortSignal): Promise<number> => {
      signals.push(signal)
      return Promise.resolve(n)
    }
    for await (const _ of mapOrdered([0, 1, 2, 3], map, { ahead: 1, signal: never })) break
    expect(signals).toHaveLength(2)
    expect(signals.every((signal) => signal.aborted)).toBe(true)
  })
})
