import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SegmentTable, type Segment } from '../../../src/engine/segments/segment-table.ts'

/** What may happen to a file under way; numbers choose among what is there. */
type Step =
  | { readonly do: 'take'; readonly pick: number }
  | { readonly do: 'takeFrom'; readonly pick: number }
  | { readonly do: 'release'; readonly pick: number }
  | { readonly do: 'extend'; readonly pick: number }
  | { readonly do: 'split'; readonly pick: number; readonly share: number }
  | { readonly do: 'write'; readonly pick: number; readonly count: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('take' as const), pick: fc.nat(1000) }),
  fc.record({ do: fc.constant('takeFrom' as const), pick: fc.nat(1000) }),
  fc.record({ do: fc.constant('release' as const), pick: fc.nat(1000) }),
  fc.record({ do: fc.constant('extend' as const), pick: fc.nat(1000) }),
  fc.record({
    do: fc.constant('split' as const),
    pick: fc.nat(1000),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({
    do: fc.constant('write' as const),
    pick: fc.nat(1000),
    count: fc.integer({ min: 1, max: 90 }),
  }),
)

/** A file whose bytes are written once each, or the model says so. */
class Model {
  readonly content: Buffer
  readonly written: Uint8Array
  readonly table: SegmentTable
  readonly taken: Segment[] = []

  constructor(length: number) {
    this.content = Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 5)) & 255))
    this.written = new Uint8Array(length)
    this.table = new SegmentTable(length)
  }

  fill(start: number, end: number): void {
    this.table.mark({ start, end }, crc32(this.content.subarray(start, end)))
    this.written.fill(1, start, end)
  }

  write(segment: Segment, count: number): void {
    const part = this.content.subarray(segment.at, Math.min(segment.end, segment.at + count))
    for (let at = segment.at; at < segment.at + part.length; at++) {
      expect(this.written[at], `byte ${at} was written before`).toBe(0)
      this.written[at] = 1
    }
    segment.crc32 = crc32(part, segment.crc32)
    segment.at += part.length
  }

  run(one: Step): void {
    const segment = this.taken[one.pick % Math.max(1, this.taken.length)]
    if (one.do === 'take') this.#took(this.table.takeFree())
    else if (one.do === 'takeFrom') this.#took(this.table.takeFreeFrom(one.pick % this.content.length))
    else if (!segment) return
    else if (one.do === 'release') this.release(segment)
    else if (one.do === 'extend') this.table.extend(segment, (one.pick % this.content.length) + 1)
    else if (one.do === 'write') this.write(segment, one.count)
    else if (one.do === 'split') {
      const at = segment.at + Math.floor((segment.end - segment.at) * one.share)
      this.#took(this.table.split(segment, at))
    }
  }

  release(segment: Segment): void {
    this.taken.splice(this.taken.indexOf(segment), 1)
    this.table.release(segment)
  }

  check(): void {
    let at = 0
    for (const each of this.table.segments) {
      expect(each.start).toBe(at)
      expect(each.at).toBeGreaterThanOrEqual(each.start)
      expect(each.at).toBeLessThanOrEqual(each.end)
      expect(this.written.subarray(each.start, each.at).every((byte) => byte === 1)).toBe(true)
      expect(this.written.subarray(each.at, each.end).every((byte) => byte === 0)).toBe(true)
      at = each.end
    }
    expect(at).toBe(this.content.length)
    for (const each of this.taken) expect(this.table.segments).toContain(each)
    expect(new Set(this.taken).size).toBe(this.taken.length)
    expect(this.table.segments.filter((each) => each.taken).length).toBe(this.taken.length)
    expect(this.table.remainingBytes).toBe(this.written.filter((byte) => byte === 0).length)
  }

  #took(segment: Segment | undefined): void {
    if (!segment) return
    expect(this.taken).not.toContain(segment)
    this.taken.push(segment)
  }
}

describe('the segments of a file', () => {
  test('partition it after any interleaving, and no byte is lost or doubled', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.array(fc.tuple(fc.nat(700), fc.nat(60)), { maxLength: 4 }),
        fc.array(step, { maxLength: 120 }),
        (length, kept, steps) => {
          const model = new Model(length)
          for (const [start, count] of kept) {
            const end = Math.min(length, start + count)
            if (start < end && !model.written.subarray(start, end).includes(1)) model.fill(start, end)
          }
          model.check()
          for (const one of steps) {
            model.run(one)
            model.check()
          }
          while (model.taken[0]) model.release(model.taken[0])
          for (let free = model.table.takeFree(); free; free = model.table.takeFree()) {
            model.write(free, length)
            model.table.release(free)
            model.check()
          }
          expect(model.table.isDone).toBe(true)
          expect(model.table.crc32).toBe(crc32(model.content))
          // What is done is kept as one, however it came.
          expect(model.table.segments.length).toBe(1)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('are one where bytes of an earlier run stand next to each other', () => {
    const model = new Model(10)
    model.fill(3, 5)
    model.fill(5, 10)
    model.check()
    expect(model.table.segments.map(({ start, at, end }) => [start, at, end])).toEqual([
      [0, 0, 3],
      [3, 10, 10],
    ])
  })

  test('an empty file is done from the start', () => {
    const table = new SegmentTable(0)
    expect([table.isDone, table.takeFree(), table.crc32]).toEqual([true, undefined, 0])
  })

  test('a segment is not extended over what is taken or begun', () => {
    const table = new SegmentTable(100)
    const first = table.takeFree()
    const second = first && table.split(first, 40)
    if (!first || !second) throw new Error('nothing to split')
    expect(table.extend(first, 100)).toBe(false)
    second.at = 41
    table.release(second)
    expect(table.extend(first, 100)).toBe(false)
    expect([first.end, second.start]).toEqual([40, 40])
  })
})
