import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Validators } from '../../../src/core/index.ts'
import { passesFilter } from '../../../src/engine/destination/entity-filter.ts'
import { conditionalPlaces, hasStrongTag, sameVersion } from '../../../src/engine/destination/same-version.ts'

const date = 'Sun, 05 May 2024 06:07:08 GMT'
const later = 'Mon, 06 May 2024 06:07:08 GMT'

describe('the version on record and the one of an answer', () => {
  const cases: [Validators, Validators, 'strong' | 'date' | 'no'][] = [
    [{ etag: '"a"' }, { etag: '"a"' }, 'strong'],
    [{ etag: '"a"' }, { etag: '"b"' }, 'no'],
    [{ etag: 'W/"a"' }, { etag: 'W/"a"' }, 'date'],
    [{ etag: 'W/"a"' }, { etag: '"a"' }, 'date'],
    // A tag that differs is the word of the server, whatever the date says.
    [{ etag: '"a"', lastModified: date }, { etag: '"b"', lastModified: date }, 'no'],
    [{ etag: '"a"', lastModified: date }, { etag: '"a"', lastModified: later }, 'strong'],
    [{ lastModified: date }, { lastModified: date }, 'date'],
    [{ lastModified: date }, { lastModified: later }, 'no'],
    [{ etag: '"a"', lastModified: date }, { lastModified: date }, 'date'],
    [{ etag: '"a"' }, {}, 'no'],
    [{}, {}, 'no'],
  ]
  test.each(cases)('%j and %j: %s', (validators, told, wanted) => {
    expect(sameVersion({ validators, lengthBytes: 5 }, { validators: told, lengthBytes: 5 })).toBe(wanted)
    expect(sameVersion({ validators, lengthBytes: 5 }, { validators: told })).toBe(wanted)
    expect(sameVersion({ validators, lengthBytes: 5 }, { validators: told, lengthBytes: 6 })).toBe('no')
  })

  test('strong tags', () => {
    expect([
      hasStrongTag({ etag: '"a"' }),
      hasStrongTag({ etag: 'W/"a"' }),
      hasStrongTag({ etag: 'a' }),
    ]).toEqual([true, false, false])
    expect([hasStrongTag({}), hasStrongTag(undefined)]).toEqual([false, false])
  })
})

describe('places that are asked under a condition', () => {
  test('the one that was asked first and those of the origin that answered; others as before', () => {
    const places = [{ url: 'http://a/f' }, { url: 'http://b/f', headers: { x: '1' } }, { url: 'http://c/f' }]
    const asked = conditionalPlaces(places, {
      validators: { etag: '"1"', lastModified: date },
      url: 'http://b/real',
    })
    const condition = { 'if-none-match': '"1"', 'if-modified-since': date }
    expect(asked).toEqual([
      { url: 'http://a/f', headers: condition },
      { url: 'http://b/f', headers: { x: '1', ...condition } },
      { url: 'http://c/f' },
    ])
    expect(conditionalPlaces(places, { validators: {}, url: 'http://a/f' })).toBe(places)
  })
})

test('a filter keeps what is within all its limits, and what is not told', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          maxSizeBytes: fc.nat(100),
          minSizeBytes: fc.nat(100),
          newerThanMs: fc.nat(100_000),
          olderThanMs: fc.nat(100_000),
        },
        { requiredKeys: [] },
      ),
      fc.option(fc.nat(100), { nil: undefined }),
      fc.option(fc.nat(100), { nil: undefined }),
      (filter, lengthBytes, seconds) => {
        const modifiedMs = seconds === undefined ? undefined : seconds * 1000
        const lastModified = modifiedMs === undefined ? undefined : new Date(modifiedMs).toUTCString()
        const size = lengthBytes ?? Number.NaN
        const time = modifiedMs ?? Number.NaN
        const isOut =
          size > (filter.maxSizeBytes ?? Infinity) ||
          size < (filter.minSizeBytes ?? 0) ||
          time < (filter.newerThanMs ?? 0) ||
          time >= (filter.olderThanMs ?? Infinity)
        const facts = {
          validators: lastModified === undefined ? {} : { lastModified },
          ...(lengthBytes === undefined ? {} : { lengthBytes }),
        }
        expect(passesFilter(filter, facts)).toBe(!isOut)
      },
    ),
  )
})
