import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TaskIndex } from '../../../src/storage/index.ts'

/** Few ids, many of which begin alike and so want the same place in the table. */
const ids = fc.tuple(fc.nat(3), fc.nat(15)).map(([head, tail]) => {
  return `${head.toString(16).padStart(8, '0')}${tail.toString(16).padStart(24, '0')}`
})
const step = fc.record({
  kind: fc.constantFrom('set', 'setState', 'ask'),
  id: ids,
  state: fc.integer({ min: 1, max: 6 }),
  offset: fc.maxSafeNat(),
})

test('is a map from ids to states and offsets', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const index = new TaskIndex(16)
      const model = new Map<string, { state: number; offset: number }>()
      for (const { kind, id, state, offset } of steps) {
        if (kind === 'set') {
          index.set(id, state, offset)
          model.set(id, { state, offset })
        } else if (kind === 'setState') {
          index.setState(id, state)
          const known = model.get(id)
          if (known) known.state = state
        }
        expect([index.state(id), index.offset(id)]).toEqual([
          model.get(id)?.state ?? 0,
          model.get(id)?.offset ?? -1,
        ])
      }
      expect(index.size).toBe(model.size)
      for (const [id, { state, offset }] of model) {
        expect([index.state(id), index.offset(id)]).toEqual([state, offset])
      }
      for (let state = 1; state <= 6; state++) {
        const wanted = [...model.values()].filter((each) => each.state === state).map((each) => each.offset)
        const found: number[] = []
        index.eachIn(state, (offset) => found.push(offset))
        expect([found.length, new Set(found)]).toEqual([wanted.length, new Set(wanted)])
        expect(index.countByState()[state] ?? 0).toBe(wanted.length)
      }
    }),
    { endOnFailure: true },
  )
})

test('several tables at one time do not mix', () => {
  const [one, other] = [new TaskIndex(), new TaskIndex()]
  const id = 'ab'.repeat(16)
  one.set(id, 1, 5)
  expect([other.state(id), other.offset(id)]).toEqual([0, -1])
  other.set(id, 2, 6)
  expect([one.state(id), one.offset(id)]).toEqual([1, 5])
})

test('grows to 300,000 tasks and finds each', () => {
  const index = new TaskIndex()
  const idAt = (n: number): string => ((n * 2654435761) >>> 0).toString(16).padStart(8, '0').padEnd(32, '0')
  for (let n = 0; n < 300_000; n++) index.set(idAt(n), 1 + (n % 6), n)
  expect(index.size).toBe(300_000)
  let wrong = 0
  for (let n = 0; n < 300_000; n++)
    if (index.offset(idAt(n)) !== n || index.state(idAt(n)) !== 1 + (n % 6)) wrong++
  expect(wrong).toBe(0)
})
