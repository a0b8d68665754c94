import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Extent } from '../../src/core/index.ts'
import type { Sink } from '../../src/storage/index.ts'

/** A sink under test and what its maker knows of it. */
export interface SinkUnderTest {
  /** A sink on the same place: the first, or that of the next process. */
  readonly sink: () => Sink
  /** Where `commit` is to put the file. */
  readonly finalPath: string
  /** The bytes under the final path, or undefined where nothing stands. */
  readonly committed: () => Buffer | undefined
}

export interface SinkTraits {
  /** `commit` without `replace` refuses a path that is taken. */
  readonly refusesTaken: boolean
}

export function bytesAt(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = ((offset + i) * 31 + ((offset + i) >> 8) * 7) & 255
  return bytes
}

async function write(sink: Sink, offset: number, length: number, generation = 1): Promise<void> {
  await sink.write(offset, bytesAt(offset, length), generation)
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'nothing failed'
}

const size = (extents: readonly Extent[]): number =>
  extents.reduce((sum, extent) => sum + extent.end - extent.start, 0)

/** What every Sink promises; see its doc comment. */
export function describeSinkContract(title: string, create: () => SinkUnderTest, traits: SinkTraits): void {
  describe(`sink contract: ${title}`, () => {
    const opened: Sink[] = []
    const open = (sut: SinkUnderTest, kept: readonly Extent[] = [], generation = 1): Sink => {
      const sink = sut.sink()
      opened.push(sink)
      sink.open(kept, generation)
      return sink
    }
    afterEach(() => {
      for (const sink of opened.splice(0)) sink.abort({ discard: true })
    })

    test.each([0, 1, 12_000, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000])(
      'a file of %i bytes, in chunks',
      async (length) => {
        const sut = create()
        const sink = open(sut)
        for (let at = 0; at < length; at += 65_536) await write(sink, at, Math.min(65_536, length - at))
        expect(await sink.checkpoint()).toEqual(length === 0 ? [] : [{ start: 0, end: length }])
        expect(sut.committed()).toBeUndefined()
        sink.commit(sut.finalPath, { replace: false })
        expect(sut.committed()?.equals(bytesAt(0, length))).toBe(true)
      },
    )

    test('ten thousand tiny chunks', async () => {
      const sut = create()
      const sink = open(sut)
      for (let at = 0; at < 30_000; at += 3) await write(sink, at, 3)
      await sink.checkpoint()
      sink.commit(sut.finalPath, { replace: false })
      expect(sut.committed()?.equals(bytesAt(0, 30_000))).toBe(true)
    })

    test('checkpoint tells what was written, no more and no less', async () => {
      const sink = open(create())
      await write(sink, 100, 50)
      await write(sink, 2_000_000, 10)
      expect(await sink.checkpoint()).toEqual([
        { start: 100, end: 150 },
        { start: 2_000_000, end: 2_000_010 },
      ])
      await write(sink, 150, 25)
      await write(sink, 90, 10)
      expect(await sink.checkpoint()).toEqual([
        { start: 90, end: 175 },
        { start: 2_000_000, end: 2_000_010 },
      ])
    })

    test('pieces in any order, with overlaps and repeats: the bytes are right where the extents say so', async () => {
      const piece = fc.tuple(fc.nat(400_000), fc.integer({ min: 0, max: 300_000 }))
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async (pieces) => {
          const sut = create()
          const sink = open(sut)
          const writes = pieces.map(async ([at, length]) => sink.write(at, bytesAt(at, length), 1))
          await Promise.all(writes)
          const covered = new Set<number>()
          const step = 50_000
          for (const [at, length] of pieces) {
            for (let i = Math.ceil(at / step); i * step < at + length; i++) covered.add(i * step)
          }
          const extents = await sink.checkpoint()
          for (let at = 0; at < 700_000; at += step) {
            const isIn = extents.some((extent) => extent.start <= at && at < extent.end)
            expect(isIn, `byte ${at}`).toBe(covered.has(at))
          }
          for (const { start, end } of extents) {
            expect(sink.read(start, end - start).equals(bytesAt(start, end - start))).toBe(true)
          }
          sink.abort({ discard: true })
        }),
        { numRuns: 30, endOnFailure: true },
      )
    })

    test('read gives what was written, and less where the file ends', async () => {
      const sink = open(create())
      await write(sink, 0, 1000)
      expect(sink.read(10, 20).equals(bytesAt(10, 20))).toBe(true)
      await sink.checkpoint()
      expect(sink.read(990, 100).equals(bytesAt(990, 10))).toBe(true)
      expect(sink.read(2000, 10)).toHaveLength(0)
    })

    test('bytes of another generation are refused', async () => {
      const sut = create()
      const sink = open(sut, [], 3)
      await write(sink, 0, 10, 3)
      for (const generation of [2, 4]) {
        expect(codeOf(() => sink.write(10, bytesAt(10, 5), generation))).toBe('ERR_STALE_WRITE')
      }
      expect(await sink.checkpoint()).toEqual([{ start: 0, end: 10 }])
    })

    test('reset throws all bytes away', async () => {
      const sut = create()
      const sink = open(sut)
      await write(sink, 0, 3_000_000)
      await sink.checkpoint()
      await write(sink, 3_000_000, 100)
      sink.reset(2)
      expect(await sink.checkpoint()).toEqual([])
      expect(codeOf(() => sink.write(0, bytesAt(0, 5), 1))).toBe('ERR_STALE_WRITE')
      await write(sink, 0, 500, 2)
      await sink.checkpoint()
      sink.commit(sut.finalPath, { replace: false })
      expect(sut.committed()?.equals(bytesAt(0, 500))).toBe(true)
    })

    test('abort with discard leaves nothing; called again it changes nothing', async () => {
      const sut = create()
      const sink = open(sut)
      await write(sink, 0, 2_000_000)
      expect(sink.abort({ discard: true })).toEqual([])
      expect(sink.abort()).toEqual([])
      expect(open(sut, [{ start: 0, end: 2_000_000 }], 1).abort({ discard: true })).toEqual([])
      expect(sut.sink().open([{ start: 0, end: 100 }], 1)).toEqual([])
      expect(sut.committed()).toBeUndefined()
    })

    test('abort after commit changes nothing', async () => {
      const sut = create()
      const sink = open(sut)
      await write(sink, 0, 10)
      await sink.checkpoint()
      sink.commit(sut.finalPath, { replace: false })
      expect(sink.abort({ discard: true })).toEqual([])
      expect(sut.committed()?.equals(bytesAt(0, 10))).toBe(true)
    })

    test('what a durable sink says to keep is there for the next one', async () => {
      const sut = create()
      const first = open(sut)
      await write(first, 0, 1_500_000)
      await write(first, 3_000_000, 700)
      const kept = first.abort()
      if (!first.properties.durable) {
        expect(kept).toEqual([])
        expect(sut.sink().open([{ start: 0, end: 10 }], 1)).toEqual([])
        return
      }
      expect(kept).toEqual([
        { start: 0, end: 1_500_000 },
        { start: 3_000_000, end: 3_000_700 },
      ])
      const next = sut.sink()
      opened.push(next)
      expect(next.open(kept, 1)).toEqual(kept)
      expect(await next.checkpoint()).toEqual(kept)
      await write(next, 1_500_000, 1_500_000)
      expect(size(await next.checkpoint())).toBe(3_000_700)
      next.commit(sut.finalPath, { replace: false })
      expect(sut.committed()?.equals(bytesAt(0, 3_000_700))).toBe(true)
    })

    if (!traits.refusesTaken) return

    test('a taken path is refused without replace, and may be taken with it', async () => {
      const sut = create()
      const first = open(sut)
      await write(first, 0, 20)
      await first.checkpoint()
      first.commit(sut.finalPath, { replace: false })
      const second = open(sut)
      await write(second, 7, 30)
      await second.checkpoint()
      expect(codeOf(() => second.commit(sut.finalPath, { replace: false }))).toBe('ERR_EXISTS')
      expect(sut.committed()?.equals(bytesAt(0, 20))).toBe(true)
      second.commit(sut.finalPath, { replace: true })
      expect(sut.committed()?.subarray(7).equals(bytesAt(7, 30))).toBe(true)
    })
  })
}
