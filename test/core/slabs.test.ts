import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { closeSlab, giveBack, takeSlab, type Slab } from '../../src/core/index.ts'

function lend(slab: Slab, start: number, end: number): Buffer {
  slab.outBytes += end - start
  return slab.bytes.subarray(start, end)
}

test('a slab of which all was given back is used again, and one of which a byte is out is not', () => {
  const slab = takeSlab()
  const first = lend(slab, 0, 10)
  const second = lend(slab, 10, 30)
  giveBack(first)
  closeSlab(slab)
  giveBack(second.subarray(0, 19))
  expect(takeSlab()).not.toBe(slab)
  giveBack(second.subarray(19))
  expect(takeSlab()).toBe(slab)
})

test('nothing is given back to a slab that is still handed out from', () => {
  const slab = takeSlab()
  giveBack(lend(slab, 0, 10))
  expect(takeSlab()).not.toBe(slab)
  closeSlab(slab)
  expect(takeSlab()).toBe(slab)
})

test('memory of others may be given back too, which does nothing', () => {
  giveBack(Buffer.alloc(10))
  giveBack(Buffer.from('some text'))
})

/** Each chunk is filled with a number of its own when it is handed out, and looked at when it is given back. */
test('no byte is handed out twice at a time, whatever the order of giving back', () => {
  const step = fc.record({
    bytes: fc.integer({ min: 1, max: 400_000 }),
    back: fc.option(fc.nat(), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const out: { chunk: Buffer; mark: number }[] = []
      const returnOne = (index: number): void => {
        const [one] = out.splice(index % out.length, 1)
        if (!one) return
        expect(one.chunk[0]).toBe(one.mark)
        expect(one.chunk.at(-1)).toBe(one.mark)
        giveBack(one.chunk)
      }
      let slab = takeSlab()
      let at = 0
      for (const [index, { bytes, back }] of steps.entries()) {
        if (at + bytes > slab.bytes.length) {
          closeSlab(slab)
          slab = takeSlab()
          at = 0
        }
        const mark = index % 256
        out.push({ chunk: lend(slab, at, at + bytes).fill(mark), mark })
        at += bytes
        if (back !== undefined) returnOne(back)
      }
      while (out.length > 0) returnOne(0)
      closeSlab(slab)
    }),
  )
})
