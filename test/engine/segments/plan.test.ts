import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseHedge } from '../../../src/engine/segments/choose-hedge.ts'
import { chooseRestart } from '../../../src/engine/segments/choose-restart.ts'
import { chooseSplit } from '../../../src/engine/segments/choose-split.ts'
import { mebibyte, usualRateOf, type PlanView } from '../../../src/engine/segments/plan-view.ts'
import { planTransfer } from '../../../src/engine/segments/plan-transfer.ts'
import type { Segment } from '../../../src/engine/segments/segment-table.ts'

/** Segments one after the other, each taken, from their sizes in MiB and rates in MiB a second. */
function working(...sizes: readonly (readonly [sizeMib: number, rateMibps: number])[]): Segment[] {
  let start = 0
  return sizes.map(([size, rate]) => {
    const [at, end] = [start, start + size * mebibyte]
    start = end
    return {
      start: at,
      at,
      end,
      crc32: 0,
      taken: true,
      rateBps: rate * mebibyte,
      sinceMs: 0,
      restarts: 0,
      hedged: false,
    }
  })
}

function view(segments: readonly Segment[], more: Partial<PlanView> = {}): PlanView {
  return {
    segments,
    nowMs: 10_000,
    startedMs: 0,
    waitMs: 20,
    usualBps: usualRateOf(segments),
    split: undefined,
    leastPieceBytes: mebibyte,
    ...more,
  }
}

describe('what is split', () => {
  test('nothing before a rate is known, unless it was asked for', () => {
    const segments = working([100, 0])
    expect(chooseSplit(view(segments))).toBeUndefined()
    expect(chooseSplit(view(segments, { split: 4 }))).toEqual({ victim: segments[0], at: 75 * mebibyte })
  })

  test('nothing that one connection brings soon', () => {
    expect(chooseSplit(view(working([100, 90])))).toBeUndefined()
    expect(chooseSplit(view(working([100, 4])))).toBeDefined()
  })

  test('the segment that would end last, not the longest one', () => {
    const segments = working([60, 30], [40, 2])
    expect(chooseSplit(view(segments))?.victim).toBe(segments[1])
  })

  test('a new connection without a rate is taken for a usual one, so it is not robbed at once', () => {
    const segments = working([40, 4], [2, 0])
    expect(chooseSplit(view(segments))?.victim).toBe(segments[0])
  })

  test('a hedged segment is left alone', () => {
    const segments = working([40, 4], [2, 1])
    if (segments[0]) segments[0].hedged = true
    expect(chooseSplit(view(segments))?.victim).toBe(segments[1])
  })

  test('pieces last about as long as the transfer has lasted, and get shorter near the end', () => {
    const piece = (ageMs: number, size: number): number => {
      const segments = working([size, 4])
      const split = chooseSplit(view(segments, { nowMs: ageMs }))
      return ((segments[0]?.end ?? 0) - (split?.at ?? 0)) / mebibyte
    }
    expect([piece(100, 4000), piece(3000, 4000), piece(60_000, 4000), piece(60_000, 20)]).toEqual([
      4, 12, 24, 10,
    ])
  })

  test('both parts are long enough, whatever the state', () => {
    const segment = fc.record({
      size: fc.integer({ min: 1, max: 200 * mebibyte }),
      done: fc.double({ min: 0, max: 1, noNaN: true }),
      taken: fc.boolean(),
      rateBps: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 * mebibyte })),
    })
    const states = fc.record({
      parts: fc.array(segment, { minLength: 1, maxLength: 20 }),
      nowMs: fc.integer({ min: 0, max: 100_000 }),
      waitMs: fc.integer({ min: 0, max: 2000 }),
      split: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
      least: fc.constantFrom(mebibyte, 4 * mebibyte),
    })
    fc.assert(
      fc.property(states, ({ parts, nowMs, waitMs, split, least }) => {
        let start = 0
        const segments = parts.map(({ size, done, taken, rateBps }) => {
          const at = start + Math.floor(size * done)
          const made = {
            start,
            at,
            end: start + size,
            crc32: 0,
            taken,
            rateBps,
            sinceMs: 0,
            restarts: 0,
            hedged: false,
          }
          start += size
          return made
        })
        const found = chooseSplit(view(segments, { nowMs, waitMs, split, leastPieceBytes: least }))
        if (!found) return
        const { victim, at } = found
        expect(segments).toContain(victim)
        expect(victim.taken).toBe(true)
        expect(Number.isInteger(at)).toBe(true)
        expect(at - victim.at).toBeGreaterThanOrEqual(mebibyte / 2)
        expect(victim.end - at).toBeGreaterThanOrEqual(mebibyte / 2)
        // Never more than half: what is taken comes no sooner than what is left.
        expect(victim.end - at).toBeLessThanOrEqual((victim.end - victim.at) / 2 + mebibyte)
      }),
    )
  })
})

describe('what is hedged', () => {
  const tail = (rate: number): Segment[] => working([100, 0], [0.9, rate], [0.5, 4], [0.5, 4])
  const done = (segments: Segment[]): Segment[] => {
    if (segments[0]) Object.assign(segments[0], { at: segments[0].end, taken: false })
    return segments
  }

  test('the last one, where a new connection would be done in a third of its time', () => {
    const segments = done(tail(0.1))
    expect(chooseHedge(view(segments), 0)).toBe(segments[1])
  })

  test('none among equals, and none that is nearly done', () => {
    expect(chooseHedge(view(done(tail(4))), 0)).toBeUndefined()
    expect(chooseHedge(view(done(tail(1))), 0)).toBeUndefined()
  })

  test('within the bytes that may be fetched twice', () => {
    const segments = done(tail(0.3))
    const allowed = 0.02 * (segments.at(-1)?.end ?? 0)
    expect(chooseHedge(view(segments), allowed / 2)).toBe(segments[1])
    expect(chooseHedge(view(segments), allowed)).toBeUndefined()
  })

  test('one that never began to send', () => {
    const segments = done(tail(0))
    expect(chooseHedge(view(segments), 0)).toBe(segments[1])
    expect(chooseHedge(view(segments, { nowMs: 500 }), 0)).toBeUndefined()
  })
})

describe('what is restarted', () => {
  test('a connection far below the median, not below the mean', () => {
    const slow = working([50, 4], [50, 4], [50, 4], [50, 0.2])
    expect(chooseRestart(view(slow))).toBe(slow[3])
    // One very fast connection: the mean would condemn the others.
    expect(chooseRestart(view(working([50, 400], [50, 4], [50, 4], [50, 4])))).toBeUndefined()
  })

  test('none that is new, nearly done, or was restarted thrice', () => {
    const slow = (): Segment[] => working([50, 4], [50, 4], [50, 4], [50, 0.2])
    expect(chooseRestart(view(slow(), { nowMs: 2000 }))).toBeUndefined()
    expect(chooseRestart(view(working([50, 4], [50, 4], [50, 4], [0.2, 0.2])))).toBeUndefined()
    const often = slow()
    if (often[3]) often[3].restarts = 3
    expect(chooseRestart(view(often))).toBeUndefined()
  })
})

describe('planTransfer', () => {
  const gib = 1024 * mebibyte
  test.each([
    [{}, 'single', 1],
    [{ sizeBytes: gib, ranges: false, connectionBps: mebibyte }, 'single', 1],
    [{ sizeBytes: 1000, connectionBps: 10 }, 'single', 1],
    [{ sizeBytes: gib, split: 1 }, 'single', 1],
    [{ sizeBytes: gib, split: 5 }, 'segmented', 5],
    [{ sizeBytes: 2 * mebibyte, split: 5 }, 'segmented', 2],
    [{ sizeBytes: gib, split: 5, sources: 2 }, 'multi-source', 5],
    [{ sizeBytes: gib, connectionBps: gib }, 'single', 1],
    [{ sizeBytes: gib, connectionBps: 4 * mebibyte, lineBps: 4 * mebibyte }, 'single', 1],
    [{ sizeBytes: gib, connectionBps: 4 * mebibyte, lineBps: 40 * mebibyte }, 'segmented', 10],
    [{ sizeBytes: gib, connectionBps: 4 * mebibyte, maxConnections: 16 }, 'segmented', 16],
    [{ sizeBytes: gib }, 'segmented', 8],
    [{ sizeBytes: gib, sources: 3 }, 'multi-source', 8],
  ] as const)('%j: %s, %i', (profile, style, segments) => {
    const plan = planTransfer(profile)
    expect(plan).toMatchObject({ style, segments })
    expect(plan.why).toMatch(/^[A-Z0-9].*\.$/)
  })

  test('gain is time against time', () => {
    const plan = planTransfer({ sizeBytes: gib, connectionBps: 4 * mebibyte, maxConnections: 16 })
    expect(plan).toMatchObject({ gain: 16, expectedMs: 16_000 })
  })

  test('never slower than one connection, never above what is allowed', () => {
    const profiles = fc.record(
      {
        sizeBytes: fc.integer({ min: 0, max: 1e12 }),
        connectionBps: fc.integer({ min: 1, max: 1e9 }),
        lineBps: fc.integer({ min: 1, max: 1e10 }),
        waitMs: fc.integer({ min: 0, max: 3000 }),
        maxConnections: fc.integer({ min: 1, max: 256 }),
        sources: fc.integer({ min: 1, max: 9 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(profiles, (profile) => {
        const { segments, gain, style } = planTransfer(profile)
        expect(segments).toBeGreaterThanOrEqual(1)
        expect(segments).toBeLessThanOrEqual(profile.maxConnections ?? 256)
        expect(gain ?? 1).toBeGreaterThanOrEqual(1)
        expect(style === 'single').toBe(segments === 1)
      }),
    )
  })
})
