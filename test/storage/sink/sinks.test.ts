import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closeSlab, takeSlab } from '../../../src/core/index.ts'
import { ExtentSet, FileSink, MemorySink, Volume, type Durability } from '../../../src/storage/index.ts'
import { bytesAt, describeSinkContract } from '../../contract/sink.ts'
import { tempFolders } from '../temp-folder.ts'

const newFolder = tempFolders()
const read = (path: string): Buffer | undefined => (existsSync(path) ? readFileSync(path) : undefined)

function slowVolume(durability: Durability = 'none'): Volume {
  const volume = new Volume({ durability })
  for (let i = 0; i < 20; i++) volume.wrote(1000, 1)
  return volume
}

for (const [title, volume] of [
  ['file', () => new Volume({ durability: 'none' })],
  ['file, each synced', () => new Volume({ durability: 'strict' })],
  ['file on a slow disk', () => slowVolume()],
] as const) {
  describeSinkContract(
    title,
    () => {
      const folder = newFolder()
      const finalPath = join(folder, 'final.bin')
      return {
        sink: () => new FileSink(join(folder, 'part'), volume()),
        finalPath,
        committed: () => read(finalPath),
      }
    },
    { refusesTaken: true },
  )
}

describeSinkContract(
  'memory',
  () => {
    const sinks: MemorySink[] = []
    return {
      sink() {
        const sink = new MemorySink()
        sinks.push(sink)
        return sink
      },
      finalPath: 'final',
      committed() {
        const sink = sinks.find((each) => each.committedAs !== undefined)
        return sink && Buffer.from(sink.bytes)
      },
    }
  },
  { refusesTaken: false },
)

test('a memory sink has a limit', () => {
  const sink = new MemorySink({ maxBytes: 10 })
  sink.open([], 1)
  sink.write(0, Buffer.alloc(10), 1)
  expect(() => sink.write(10, Buffer.alloc(1), 1)).toThrow(expect.objectContaining({ code: 'ERR_TOO_LARGE' }))
})

describe('a file sink', () => {
  function sinkIn(folder: string, volume = new Volume({ durability: 'none' })): FileSink {
    return new FileSink(join(folder, 'part'), volume)
  }

  for (const [title, newVolume] of [
    ['at once', () => new Volume({ durability: 'none' })],
    ['later, on a slow disk', () => slowVolume()],
  ] as const) {
    test(`gives the memory of chunks back when they are written ${title}`, async () => {
      const sink = sinkIn(newFolder(), newVolume())
      sink.open([], 1)
      const slab = takeSlab()
      slab.outBytes = slab.bytes.length
      closeSlab(slab)
      slab.bytes.fill(7)
      const half = slab.bytes.length / 2
      await sink.write(0, slab.bytes.subarray(0, half), 1)
      await sink.write(half, slab.bytes.subarray(half, -1), 1)
      await sink.write(slab.bytes.length - 1, slab.bytes.subarray(-1), 1)
      await sink.checkpoint()
      expect(slab.outBytes).toBe(0)
      expect(sink.read(0, slab.bytes.length)).toEqual(Buffer.alloc(slab.bytes.length, 7))
      sink.abort()
    })
  }

  test('keeps the memory of chunks that could not be written', async () => {
    const folder = newFolder()
    const sink = sinkIn(join(folder, 'missing'))
    sink.open([], 1)
    const slab = takeSlab()
    slab.outBytes = slab.bytes.length
    closeSlab(slab)
    expect(() => sink.write(0, slab.bytes, 1)).toThrow(expect.objectContaining({ code: 'ERR_IO' }))
    expect(slab.outBytes).toBe(slab.bytes.length)
    sink.abort()
  })

  test('never writes into a file that stands under the name of its part', async () => {
    const folder = newFolder()
    // What a loss of power between link and unlink leaves, when the journal was lost with it.
    writeFileSync(join(folder, 'finished.bin'), 'finished')
    linkSync(join(folder, 'finished.bin'), join(folder, 'part'))
    const sink = sinkIn(folder)
    sink.open([], 1)
    void sink.write(0, Buffer.from('other'), 1)
    await sink.checkpoint()
    expect(readFileSync(join(folder, 'finished.bin'), 'utf8')).toBe('finished')
    sink.commit(join(folder, 'other.bin'), { replace: false })
    expect(readFileSync(join(folder, 'finished.bin'), 'utf8')).toBe('finished')
    expect(readdirSync(folder).toSorted()).toEqual(['finished.bin', 'other.bin'])
  })

  test('does not follow a link in place of its part', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'victim'), 'untouched')
    symlinkSync(join(folder, 'victim'), join(folder, 'part'))
    expect(() => sinkIn(folder).open([{ start: 0, end: 3 }], 1)).toThrow(
      expect.objectContaining({ code: 'ERR_PATH_UNSAFE' }),
    )
    const sink = sinkIn(folder)
    sink.open([], 1)
    void sink.write(0, Buffer.from('mine'), 1)
    await sink.checkpoint()
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched')
    sink.abort({ discard: true })
  })

  test('keeps only what is really there', async () => {
    const folder = newFolder()
    const first = sinkIn(folder)
    first.open([], 1)
    await first.write(0, bytesAt(0, 2_000_000), 1)
    const kept = [...first.abort(), { start: 2_500_000, end: 2_600_000 }]
    truncateSync(join(folder, 'part'), 1_200_000)
    expect(sinkIn(folder).open(kept, 1)).toEqual([{ start: 0, end: 1_200_000 }])
    expect(sinkIn(newFolder()).open(kept, 1)).toEqual([])
  })

  test('an abort while writes are in flight closes after them, and the file keeps what it says', async () => {
    const folder = newFolder()
    const sink = sinkIn(folder, slowVolume())
    sink.open([], 1)
    const writes = [0, 1, 2, 3].map(async (n) =>
      sink.write(n * 2_000_000, bytesAt(n * 2_000_000, 2_000_000), 1),
    )
    const kept = sink.abort()
    // Files opened meanwhile must not get the bytes: they would have the number of the closed one.
    const others = [1, 2, 3].map((n) => join(folder, `other-${n}`))
    for (const other of others) writeFileSync(other, 'untouched')
    await Promise.all(writes)
    for (const { start, end } of kept) {
      expect(
        readFileSync(join(folder, 'part'))
          .subarray(start, end)
          .equals(bytesAt(start, end - start)),
      ).toBe(true)
    }
    for (const other of others) expect(readFileSync(other, 'utf8')).toBe('untouched')
  })

  test('a reset while writes are in flight: none of the old bytes are in the new file', async () => {
    for (let round = 0; round < 5; round++) {
      const folder = newFolder()
      const sink = sinkIn(folder, slowVolume())
      sink.open([], 1)
      const old = Buffer.alloc(2_000_000, 0xee)
      const writes = [0, 1, 2].map(async (n) => sink.write(n * 2_000_000, old, 1))
      sink.reset(2)
      await sink.write(0, bytesAt(0, 6_000_000), 2)
      await Promise.all(writes)
      expect(await sink.checkpoint()).toEqual([{ start: 0, end: 6_000_000 }])
      sink.commit(join(folder, 'final'), { replace: false })
      expect(readFileSync(join(folder, 'final')).equals(bytesAt(0, 6_000_000))).toBe(true)
    }
  })

  test('names nothing whose bytes were not checkpointed', () => {
    const folder = newFolder()
    const sink = sinkIn(folder)
    sink.open([], 1)
    void sink.write(0, Buffer.from('bytes'), 1)
    expect(() => sink.commit(join(folder, 'final'), { replace: false })).toThrow(
      expect.objectContaining({ code: 'ERR_INTERNAL' }),
    )
    expect(existsSync(join(folder, 'final'))).toBe(false)
    sink.abort({ discard: true })
  })

  test('a folder in place of the final name is never replaced', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'final'))
    const sink = sinkIn(folder)
    sink.open([], 1)
    void sink.write(0, Buffer.from('bytes'), 1)
    await sink.checkpoint()
    const commit = (replace: boolean) => () => sink.commit(join(folder, 'final'), { replace })
    expect(commit(false)).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    expect(commit(true)).toThrow(expect.objectContaining({ code: 'ERR_IS_DIRECTORY' }))
    sink.commit(join(folder, 'other'), { replace: false })
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('bytes')
  })

  test('sets the time that is asked for', async () => {
    const folder = newFolder()
    const sink = sinkIn(folder)
    sink.open([], 1)
    void sink.write(0, Buffer.from('bytes'), 1)
    await sink.checkpoint()
    sink.commit(join(folder, 'final'), { replace: false, modifiedS: 1_000_000_000 })
    expect(statSync(join(folder, 'final')).mtimeMs).toBe(1_000_000_000_000)
  })

  test('bytes for which no file could be opened are missed at every later look', async () => {
    for (const volume of [new Volume({ durability: 'none' }), slowVolume()]) {
      const folder = newFolder()
      const sink = new FileSink(join(folder, 'gone', 'part'), volume)
      sink.open([], 1)
      const failed = async (act: () => unknown): Promise<unknown> => {
        try {
          await act()
          return 'went well'
        } catch (error) {
          return error
        }
      }
      expect(await failed(() => sink.write(0, Buffer.alloc(300_000), 1))).toMatchObject({ code: 'ERR_IO' })
      mkdirSync(join(folder, 'gone'))
      expect(await failed(() => sink.write(300_000, Buffer.alloc(10), 1))).toMatchObject({ code: 'ERR_IO' })
      expect(await failed(() => sink.checkpoint())).toMatchObject({ code: 'ERR_IO' })
      expect(sink.abort()).toEqual([])
    }
  })

  test('a part folder that is gone is told as such', async () => {
    const sink = new FileSink(join(newFolder(), 'gone', 'part'), new Volume({ durability: 'none' }))
    sink.open([], 1)
    void sink.write(0, Buffer.from('bytes'), 1)
    expect(() => sink.checkpoint()).toThrow(expect.objectContaining({ code: 'ERR_IO' }))
    expect(sink.abort()).toEqual([])
  })
})

describe('an extent set', () => {
  const range = fc.tuple(fc.nat(40), fc.nat(12))

  test('is a set of numbers, sorted and merged', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 25 }),
        fc.nat(60),
        range,
        (ranges, length, [askAt, askLength]) => {
          const model = new Set<number>()
          const set = new ExtentSet()
          for (const [start, count] of ranges) {
            set.add(start, start + count)
            for (let at = start; at < start + count; at++) model.add(at)
          }
          const extents = set.toArray()
          expect(set.sizeBytes).toBe(model.size)
          extents.forEach(({ start, end }, i) => {
            expect(start).toBeLessThan(end)
            // Touching ranges are one.
            expect(start).toBeGreaterThan(extents[i - 1]?.end ?? -1)
            for (let at = start; at < end; at++) expect(model.has(at)).toBe(true)
          })
          const missing = new Set(
            set
              .gaps(length)
              .flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
          )
          for (let at = 0; at < length; at++) expect(missing.has(at)).toBe(!model.has(at))
          for (const at of missing) expect(at).toBeLessThan(length)
          const all = Array.from({ length: askLength }, (_, i) => model.has(askAt + i)).every(Boolean)
          expect(set.covers(askAt, askAt + askLength)).toBe(all)
        },
      ),
    )
  })

  test('does not hand out its own ranges', () => {
    const set = new ExtentSet([{ start: 0, end: 10 }])
    const [extent] = set.toArray()
    set.add(5, 20)
    expect(extent).toEqual({ start: 0, end: 10 })
    set.clear()
    expect(set.sizeBytes).toBe(0)
  })
})
