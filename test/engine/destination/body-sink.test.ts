import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/index.ts'
import { BodySink } from '../../../src/engine/destination/body-sink.ts'
import { ByteBudget } from '../../../src/engine/destination/byte-budget.ts'

function open(budget: ByteBudget, lengthBytes?: number): BodySink {
  const sink = new BodySink({ budget, clock: systemClock, maxBodyBytes: 1_000_000, totalTimeoutMs: 60_000 })
  sink.open([], 1, lengthBytes)
  return sink
}

describe('BodySink', () => {
  it('books a share of memory for the tiniest body, so that ten thousands of them fill the budget', () => {
    const budget = new ByteBudget(10 * 32 * 1024)
    const sinks = Array.from({ length: 10 }, () => open(budget, 3))
    for (const sink of sinks) expect(sink.write(0, Buffer.from('abc'), 1)).toBeUndefined()
    expect(budget.isFull).toBe(true)
    for (const sink of sinks) {
      expect(sink.bytes.toString()).toBe('abc')
      sink.commit()
    }
    expect(budget.usedBytes).toBe(0)
  })

  it('books what a larger body announces, once', () => {
    const budget = new ByteBudget(1_000_000)
    const sink = open(budget, 100_000)
    void sink.write(0, Buffer.alloc(60_000), 1)
    void sink.write(60_000, Buffer.alloc(40_000), 1)
    expect(budget.usedBytes).toBe(100_000)
    expect(sink.abort()).toEqual([])
    expect(budget.usedBytes).toBe(0)
  })
})
