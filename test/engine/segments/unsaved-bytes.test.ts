import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnsavedBytes, type Saving } from '../../../src/engine/segments/unsaved-bytes.ts'

const limitBytes = 2 * 1024 * 1024

let nowMs = 0
const clock = { now: () => nowMs }

class File implements Saving {
  unsavedBytes = 0
  saves = 0

  save(): void {
    this.saves++
  }
}

test('whatever arrives, all files together never have more unsaved than the bound', () => {
  const step = fc.record({
    file: fc.nat(39),
    count: fc.integer({ min: 1, max: 65_536 }),
    leaves: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
      const unsaved = new UnsavedBytes(clock)
      const files = Array.from({ length: 40 }, () => new File())
      const present = new Set<File>()
      for (const { file: index, count, leaves } of steps) {
        const file = files[index]
        if (!file) continue
        if (!present.has(file)) {
          file.unsavedBytes = 0
          unsaved.join(file)
          present.add(file)
        }
        unsaved.received(file, count)
        const total = [...present].reduce((sum, each) => sum + each.unsavedBytes, 0)
        expect(total).toBeLessThan(limitBytes)
        if (leaves && present.size > 3) {
          unsaved.leave(file)
          present.delete(file)
        }
      }
    }),
  )
})

test('a file that cannot be saved fails itself alone, and all others are saved', () => {
  class Full extends File {
    override save(): void {
      super.save()
      throw new Error('too large')
    }
  }
  const unsaved = new UnsavedBytes(clock)
  const [first, full, last] = [new File(), new Full(), new File()]
  for (const file of [first, full, last]) {
    unsaved.join(file)
    unsaved.received(file, limitBytes / 4)
  }
  unsaved.received(first, limitBytes / 4)
  expect([first.saves, full.saves, last.saves]).toEqual([1, 1, 1])
  for (const file of [first, last]) unsaved.received(file, limitBytes / 4)
  expect(() => unsaved.received(full, limitBytes / 2)).toThrow('too large')
  expect([first.saves, full.saves, last.saves]).toEqual([2, 2, 2])
})

test('one file is saved every few mebibytes, a slow one beside fast ones is left in peace', () => {
  const unsaved = new UnsavedBytes(clock)
  const [fast, slow] = [new File(), new File()]
  unsaved.join(fast)
  unsaved.join(slow)
  for (let i = 0; i < 1600; i++) {
    unsaved.received(fast, 65_536)
    if (i % 100 === 0) unsaved.received(slow, 1000)
  }
  expect(fast.saves).toBeGreaterThan(30)
  expect(fast.saves).toBeLessThan(70)
  expect(slow.saves).toBe(0)
})

test('bytes that come slowly are saved every two seconds, whichever file the next ones are of', () => {
  const unsaved = new UnsavedBytes(clock)
  const [slow, slower] = [new File(), new File()]
  unsaved.join(slow)
  unsaved.join(slower)
  unsaved.received(slower, 10)
  for (let i = 0; i < 60; i++) {
    nowMs += 100
    unsaved.received(slow, 1000)
  }
  expect(slow.saves).toBe(2)
  expect(slower.saves).toBe(1)
  nowMs += 60_000
  unsaved.received(slow, 1000)
  expect(slow.unsavedBytes).toBe(0)
})
