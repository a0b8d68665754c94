import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRateLimiter, type RateLimiter, type RateOwner } from '../../../src/engine/rate-limit/index.ts'
import { VirtualTime } from '../governor/virtual-time.ts'

const kib = 1024

interface Reader extends RateOwner {
  readonly chunkBytes: number
  /** Lateness of the timer that wakes the reader. */
  readonly lateMs?: number
}

/** Readers with all they can read at hand, who wait as told. Gives the bytes each had read at each look. */
function read(
  time: VirtualTime,
  limiter: RateLimiter,
  readers: readonly Reader[],
  untilMs: number,
): { readonly total: number; readonly of: readonly number[]; readonly curve: readonly [number, number][] } {
  const of = readers.map(() => 0)
  const curve: [number, number][] = []
  let total = 0
  const start = (index: number): void => {
    const reader = readers[index]!
    of[index]! += reader.chunkBytes
    total += reader.chunkBytes
    curve.push([time.now(), total])
    const waitMs = limiter.take(reader.chunkBytes, reader)
    // A reader that need not wait still takes a little time for a chunk.
    time.after(waitMs === 0 ? 0.05 : waitMs + (reader.lateMs ?? 0), () => start(index))
  }
  for (const index of readers.keys()) start(index)
  time.runUntil(untilMs)
  return { total, of, curve }
}

function within(actual: number, expected: number, share: number): void {
  expect(actual / expected).toBeGreaterThan(1 - share)
  expect(actual / expected).toBeLessThan(1 + share)
}

describe('one level', () => {
  it.each([1, 2, 7, 64])('%i items reach the total within 2 %% and do not exceed it', (count) => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 1000 * kib })
    const readers = Array.from({ length: count }, (_, itemId) => ({
      host: `h${itemId % 3}`,
      itemId,
      chunkBytes: 16 * kib,
    }))
    const { total, of } = read(time, limiter, readers, 60_000)
    within(total, 60 * 1000 * kib, 0.02)
    within(Math.min(...of), total / count, 0.1)
  })

  it('charges nothing and remembers nothing when nothing is limited', () => {
    const limiter = createRateLimiter({ clock: new VirtualTime(), totalBps: 0 })
    expect(limiter.take(1e9, { host: 'a', itemId: 1 })).toBe(0)
    expect(limiter.size).toEqual({ hosts: 0, items: 0 })
    expect(limiter.overloaded()).toBe(false)
  })

  it('pays a late timer back, but saves up no more than 50 ms or 64 KiB while idle', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 1000 * kib })
    const late = { host: 'a', itemId: 1, chunkBytes: 64 * kib, lateMs: 12 }
    within(read(time, limiter, [late], 60_000).total, 60 * 1000 * kib, 0.02)
    const idle = { host: 'b', itemId: 2 }
    const slow = createRateLimiter({ clock: time, totalBps: 100 * kib })
    time.advance(10_000)
    expect(slow.take(64 * kib, idle)).toBe(0)
    expect(slow.take(100 * kib, idle)).toBeCloseTo(1000, 5)
    const fast = createRateLimiter({ clock: time, totalBps: 100_000 * kib })
    time.advance(10_000)
    expect(fast.take(5000 * kib, idle)).toBe(0)
    expect(fast.take(100 * kib, idle)).toBeCloseTo(1, 5)
  })

  it('lets a low limit through one chunk at a time', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 10 * kib })
    const { total } = read(time, limiter, [{ host: 'a', itemId: 1, chunkBytes: 64 * kib }], 600_000)
    within(total, 600 * 10 * kib, 0.02)
  })
})

describe('three levels', () => {
  it('gives each level its due: no more than its own limit, and the rest to the others', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({
      clock: time,
      totalBps: 1000 * kib,
      perHostBps: 600 * kib,
      perItemBps: 250 * kib,
    })
    const readers: Reader[] = [
      ...[0, 1, 2, 3].map((itemId) => ({ host: 'busy', itemId, chunkBytes: 16 * kib })),
      { host: 'lone', itemId: 4, chunkBytes: 16 * kib },
    ]
    const { of } = read(time, limiter, readers, 60_000)
    const busy = of.slice(0, 4).reduce((sum, bytes) => sum + bytes, 0)
    within(busy, 60 * 600 * kib, 0.02)
    within(of[4]!, 60 * 250 * kib, 0.02)
  })

  it('never exceeds any level over any stretch, and reaches the tightest (property)', () => {
    const level = fc.option(fc.integer({ min: 50, max: 4000 }), { nil: undefined })
    const reader = fc.record({
      host: fc.constantFrom('a', 'b', 'c'),
      chunkBytes: fc.integer({ min: 1, max: 64 }).map((size) => size * kib),
      lateMs: fc.integer({ min: 0, max: 5 }),
    })
    fc.assert(
      fc.property(
        level,
        level,
        level,
        fc.array(reader, { minLength: 1, maxLength: 8 }),
        (total, perHost, perItem, found) => {
          fc.pre(total !== undefined || perHost !== undefined || perItem !== undefined)
          const bps = (limit: number | undefined): number => (limit ?? Infinity) * kib
          const time = new VirtualTime()
          const limiter = createRateLimiter({
            clock: time,
            totalBps: bps(total),
            perHostBps: bps(perHost),
            perItemBps: bps(perItem),
          })
          const readers = found.map((entry, itemId) => ({ ...entry, itemId }))
          const seconds = 120
          const { of, total: sum } = read(time, limiter, readers, seconds * 1000)
          // What may be ahead of its time: savings of 50 ms or 64 KiB, and one chunk of each reader, to be paid back.
          const ahead = 64 * kib
          const fits = (bytes: number, limit: number, count: number): boolean =>
            bytes <= limit * seconds + Math.max(limit * 0.05, ahead) + count * ahead
          let expected = 0
          for (const host of ['a', 'b', 'c']) {
            const mine = readers.filter((entry) => entry.host === host)
            const bytes = mine.reduce((part, entry) => part + of[entry.itemId]!, 0)
            expect(fits(bytes, bps(perHost), mine.length)).toBe(true)
            expected += Math.min(bps(perHost), mine.length * bps(perItem))
          }
          for (const entry of readers) expect(fits(of[entry.itemId]!, bps(perItem), 1)).toBe(true)
          expect(fits(sum, bps(total), readers.length)).toBe(true)
          expected = Math.min(expected, bps(total))
          if (expected < Infinity) expect(sum).toBeGreaterThan(expected * seconds * 0.98 - ahead)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('holds one item to its own limit, whatever the others may', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, perItemBps: 100 * kib })
    const slow = { host: 'a', itemId: 1, chunkBytes: 8 * kib }
    const usual = { host: 'a', itemId: 2, chunkBytes: 8 * kib }
    limiter.limitItem(slow, 20 * kib)
    const { of } = read(time, limiter, [slow, usual], 60_000)
    within(of[0]!, 60 * 20 * kib, 0.02)
    within(of[1]!, 60 * 100 * kib, 0.02)
    limiter.limitItem(slow, undefined)
    expect(limiter.size.items).toBe(2)
  })

  it('counts an item that reads from two hosts once for itself and once for each host', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, perHostBps: 100 * kib, perItemBps: 150 * kib })
    const parts = ['a', 'b'].map((host) => ({ host, itemId: 1, chunkBytes: 8 * kib }))
    const { total, of } = read(time, limiter, parts, 60_000)
    within(total, 60 * 150 * kib, 0.02)
    expect(Math.max(...of)).toBeLessThan(61 * 100 * kib)
  })
})

describe('while running', () => {
  it('changes limits for waits in progress too', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 10 * kib })
    const owner = { host: 'a', itemId: 1 }
    let told = 0
    limiter.onUpdate(() => told++)
    expect(limiter.take(100 * kib, owner)).toBeCloseTo(10_000, 3)
    time.advance(1000)
    expect(limiter.take(0, owner)).toBeCloseTo(9000, 3)
    limiter.update({ totalBps: 100 * kib })
    expect(told).toBe(1)
    expect(limiter.take(0, owner)).toBeCloseTo(900, 3)
    limiter.update({ totalBps: undefined })
    expect(limiter.take(0, owner)).toBe(0)
    expect(limiter.take(1e9, owner)).toBe(0)
  })

  it('keeps the limits that an update does not name', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 100 * kib, perItemBps: 10 * kib })
    limiter.update({ totalBps: 50 * kib })
    const { total } = read(time, limiter, [{ host: 'a', itemId: 1, chunkBytes: kib }], 20_000)
    within(total, 20 * 10 * kib, 0.02)
  })

  it('makes small items wait for what those before them owe', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 100 * kib, perHostBps: 80 * kib })
    let done = 0
    const next = (): void => {
      const owner = { host: 'a', itemId: done }
      const waitMs = Math.max(limiter.take(12 * kib, owner), limiter.take(0, owner))
      time.after(waitMs, () => {
        limiter.release(owner)
        done++
        next()
      })
    }
    next()
    time.runUntil(30_000)
    within(done * 12 * kib, 30 * 80 * kib, 0.02)
    expect(limiter.size.items).toBeLessThanOrEqual(1)
    expect(limiter.take(0, { host: 'a', itemId: 'new' })).toBeGreaterThan(0)
  })

  it('forgets items and hosts that are over', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, totalBps: 1e9 })
    for (let itemId = 0; itemId < 5000; itemId++) {
      const owner = { host: `h${itemId}`, itemId }
      limiter.take(1000, owner)
      time.advance(1)
      limiter.release(owner)
    }
    expect(limiter.size.items).toBe(0)
    expect(limiter.size.hosts).toBeLessThan(2000)
  })

  it('tells the governor when the total or a host holds readers back, not when an item does', () => {
    const time = new VirtualTime()
    const limiter = createRateLimiter({ clock: time, perItemBps: 10 * kib, perHostBps: 100 * kib })
    limiter.take(64 * kib, { host: 'a', itemId: 1 })
    expect(limiter.overloaded()).toBe(false)
    for (let itemId = 2; itemId < 9; itemId++) limiter.take(64 * kib, { host: 'a', itemId })
    expect(limiter.overloaded()).toBe(false)
    limiter.update({ perItemBps: undefined })
    limiter.take(64 * kib, { host: 'a', itemId: 9 })
    expect(limiter.overloaded()).toBe(true)
    time.advance(10_000)
    expect(limiter.overloaded()).toBe(false)
  })
})
