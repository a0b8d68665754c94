import { describe, expect, test } from 'vitest'
import { TrawlError, type Place } from '../../../src/core/index.ts'
import { HostRecord, MirrorSet } from '../../../src/engine/mirrors/index.ts'

const places: readonly Place[] = ['a', 'b', 'c'].map((name) => ({ url: `http://${name}.example/f` }))
const [a, b, c] = places as [Place, Place, Place]
const reset = new TrawlError('ERR_NET_RESET', 'reset')
const missing = new TrawlError('ERR_HTTP_NOT_FOUND', 'gone')

function namesOf(found: readonly Place[]): string {
  return found.map(({ url }) => new URL(url).hostname[0]).join('')
}

describe('the mirrors of one file', () => {
  const none = (): number => 0

  test('are asked in their order, each once, before any is asked twice', () => {
    const set = new MirrorSet(places)
    const users = new Map<Place, number>()
    const asked: Place[] = []
    for (let i = 0; i < 6; i++) {
      const [next] = set.ranked((place) => users.get(place) ?? 0, 0)
      if (!next) throw new Error('no place')
      users.set(next, (users.get(next) ?? 0) + 1)
      asked.push(next)
    }
    expect(namesOf(asked)).toBe('abcabc')
  })

  test('share connections by what each of them brings', () => {
    const set = new MirrorSet(places.slice(0, 2))
    set.gave(a, 1_000_000)
    set.gave(b, 4_000_000)
    const users = new Map<Place, number>()
    for (let i = 0; i < 10; i++) {
      const [next] = set.ranked((place) => users.get(place) ?? 0, 0)
      if (next) users.set(next, (users.get(next) ?? 0) + 1)
    }
    expect([users.get(a), users.get(b)]).toEqual([2, 8])
  })

  test('that fail rest, longer each time, and are left out after four times', () => {
    const set = new MirrorSet(places)
    expect(set.failed(a, reset, 0)).toBe(false)
    expect(namesOf(set.ranked(none, 999))).toBe('bc')
    expect(namesOf(set.ranked(none, 1000))).toBe('bca')
    expect(set.failed(a, reset, 1000)).toBe(false)
    expect(namesOf(set.ranked(none, 2999))).toBe('bc')
    set.gave(a)
    expect(namesOf(set.ranked(none, 3000))).toBe('abc')
    expect([1, 2, 3, 4].map(() => set.failed(a, reset, 3000))).toEqual([false, false, false, true])
    expect(set.leftOut).toEqual([a.url])
    expect(namesOf(set.ranked(none, 99_000))).toBe('bc')
  })

  test('that have no such file or another one are left out at once, the last one never', () => {
    const set = new MirrorSet(places)
    expect(set.failed(a, missing, 0)).toBe(true)
    expect(set.failed(b, new TrawlError('ERR_ENTITY_CHANGED', 'another length'), 0)).toBe(true)
    expect(set.failed(c, missing, 0)).toBe(false)
    expect(set.size).toBe(1)
    expect(namesOf(set.ranked(none, 60_000))).toBe('c')
  })

  test('know who answers for them: one origin, or another each time', () => {
    const set = new MirrorSet([a])
    expect(set.originOf(a)).toBe('a.example')
    set.answered(a, 'cdn-1.example')
    set.gave(a, 1)
    expect(set.originOf(a)).toBe('cdn-1.example')
    set.answered(a, 'cdn-2.example')
    expect(set.originOf(a)).toBeUndefined()
    expect(new MirrorSet([a], ['cdn-1.example']).originOf(a)).toBe('cdn-1.example')
    expect(new MirrorSet([a], ['a.example', 'cdn-1.example']).originOf(a)).toBe('a.example')
  })
})

describe('the hosts of a run', () => {
  test('that keep failing are asked last', () => {
    const record = new HostRecord()
    record.failed('a.example')
    expect(namesOf(record.order(places))).toBe('abc')
    record.failed('a.example')
    expect(namesOf(record.order(places))).toBe('bca')
    record.succeeded('a.example', 0, 0)
    expect(namesOf(record.order(places))).toBe('abc')
  })

  test('that are faster come first, but only among those of equal rank, and where it is clear', () => {
    const record = new HostRecord()
    record.succeeded('a.example', 1000, 1000)
    record.succeeded('b.example', 1400, 1000)
    expect(namesOf(record.order(places))).toBe('abc')
    record.succeeded('c.example', 9000, 1000)
    expect(namesOf(record.order([a, c]))).toBe('ca')
    const ranked = [
      { ...a, rank: 1 },
      { ...c, rank: 2 },
    ]
    expect(namesOf(record.order(ranked))).toBe('ac')
  })

  test('are not remembered without end', () => {
    const record = new HostRecord()
    record.failed('a.example')
    record.failed('a.example')
    for (let i = 0; i < 2000; i++) record.failed(`h${i}.example`)
    expect(namesOf(record.order(places))).toBe('abc')
  })
})
