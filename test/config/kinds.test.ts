import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allGroups,
  isSelection,
  parseChecksum,
  parseDescramble,
  parseCommand,
  parseHours,
  parsePageSize,
  parseResize,
  parseStartAt,
} from '../../src/config/index.ts'
import { exactDuration, exactSize } from '../../src/config/exact-units.ts'
import { choice, duration, list, rate, size, text, toggle } from '../../src/config/kinds.ts'
import { bookJobs, delayRange, headerMap, settingMap } from '../../src/config/special-kinds.ts'
import { nearest } from '../../src/config/nearest.ts'
import { parseDuration, parseSize } from '../../src/core/index.ts'
import type { Kind } from '../../src/config/kind.ts'

function read<V>(kind: Kind<V>, ...texts: string[]): V | undefined {
  const reading = kind.read({ form: 'texts', texts })
  return 'value' in reading ? reading.value : undefined
}

const options = allGroups.flatMap((group) => group.options)

function readOption(name: string, texts: readonly string[]): unknown {
  return options.find((each) => each.name === name)?.field.kind.read({ form: 'texts', texts })
}

describe('units', () => {
  it('read durations and sizes as people write them', () => {
    expect(['30s', '1h30m', '500ms', '2', '1.5m', '0'].map((each) => read(duration, each))).toEqual([
      30_000, 5_400_000, 500, 2000, 90_000, 0,
    ])
    expect(['10MiB', '500KB', '4096', '1.5g', '10m/s'].map((each) => read(size, each))).toEqual([
      10_485_760, 500_000, 4096, 1_610_612_736, 10_485_760,
    ])
    expect(['', 'x', '-1s', '1y', 'Infinity', '1e3', 'NaN'].map((each) => read(duration, each))).toEqual(
      Array(7).fill(undefined),
    )
  })

  it('reading is total: a whole number of units, or refused', () => {
    const pieces = fc.array(
      fc.constantFrom('1', '9', '0', '.', 's', 'ms', 'h', 'K', 'iB', '/s', ' ', '-', 'e', '\n'),
    )
    const any = fc.oneof(
      fc.string(),
      pieces.map((each) => each.join('')),
    )
    fc.assert(
      fc.property(any, (given) => {
        for (const kind of [duration, size, rate]) {
          const value = read(kind, given)
          if (value !== undefined) expect(value).toBeGreaterThanOrEqual(0)
          if (value !== undefined && kind.schema.safeParse(value).success) {
            expect(Number.isSafeInteger(value)).toBe(true)
          }
        }
      }),
    )
  })

  it('exact texts are read back exactly', () => {
    const whole = fc.maxSafeNat()
    fc.assert(
      fc.property(whole, (value) => {
        expect(parseDuration(exactDuration(value))).toBe(value)
        expect(parseSize(exactSize(value))).toBe(value)
      }),
    )
    expect([exactDuration(90_000), exactDuration(3_600_000), exactDuration(350)]).toEqual([
      '90s',
      '1h',
      '350ms',
    ])
    expect([exactSize(10_485_760), exactSize(1000)]).toEqual(['10MiB', '1000'])
  })
})

describe('every kind', () => {
  it('reads any text without throwing, and what it takes as JSON data', () => {
    const raws = fc.oneof(
      fc.array(fc.string(), { maxLength: 3 }).map((texts) => ({ form: 'texts' as const, texts })),
      fc.array(fc.string(), { maxLength: 3 }).map((items) => ({ form: 'items' as const, items })),
      fc
        .array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 })
        .map((entries) => ({ form: 'entries' as const, entries })),
    )
    fc.assert(
      fc.property(raws, fc.nat(options.length - 1), (raw, at) => {
        const kind = options[at]?.field.kind
        const reading = kind?.read(raw)
        if (reading === undefined || !('value' in reading)) return
        if (kind?.schema.safeParse(reading.value).success !== true) return
        expect(JSON.parse(JSON.stringify(reading.value))).toEqual(reading.value)
      }),
    )
  })

  it('has a default that its schema takes and that its text gives back', () => {
    for (const { name, field } of options) {
      if (!field.filled) continue
      expect(field.kind.schema.safeParse(field.default).success, name).toBe(true)
      const reading = field.kind.read({ form: 'texts', texts: [field.kind.toText(field.default)] })
      expect(reading, name).toEqual({ value: field.default })
    }
  })

  it('reads lists and maps in all their forms', () => {
    const columns = list(text('COLUMNS'), { separator: ',' })
    expect(read(columns, 'a, b,,c', 'd')).toEqual(['a', 'b', 'c', 'd'])
    expect(columns.read({ form: 'items', items: ['a,b', 'c'] })).toEqual({ value: ['a,b', 'c'] })
    expect(read(list(choice(['a', 'b'])), 'a', 'x')).toBeUndefined()
    expect(read(headerMap, 'Accept: a, b', 'X: 1\nY: 2')).toEqual({ accept: 'a, b', x: '1', y: '2' })
    expect(headerMap.read({ form: 'entries', entries: [['A', '1']] })).toEqual({ value: { a: '1' } })
    expect(read(headerMap, 'bad name: 1')).toBeUndefined()
    for (const header of ['Range: bytes=0-9', 'Connection: close', 'Content-Length: 3', 'X: \u0007']) {
      expect(headerMap.read({ form: 'texts', texts: [header] }), header).toHaveProperty('why')
    }
    expect(headerMap.schema.safeParse({ Range: 'bytes=0-9' }).success).toBe(false)
    expect(headerMap.schema.safeParse({ 'X-A': 'ä' }).success).toBe(true)
    expect(read(settingMap, 'Quality=high')).toEqual({ Quality: 'high' })
    expect(settingMap.toText({ a: 'b', c: 'd=e' })).toBe('a=b\nc=d=e')
  })

  it('reads switches, delays and jobs', () => {
    expect(
      ['true', 'ON', 'yes', '1', 'false', 'off', 'no', '0', 'x'].map((each) => read(toggle, each)),
    ).toEqual([true, true, true, true, false, false, false, false, undefined])
    expect(read(delayRange, '1-4')).toEqual({ minMs: 1000, maxMs: 4000 })
    expect(read(delayRange, '500ms-2s')).toEqual({ minMs: 500, maxMs: 2000 })
    expect(read(delayRange, '2')).toEqual({ minMs: 2000, maxMs: 2000 })
    expect(delayRange.schema.safeParse(read(delayRange, '4-1')).success).toBe(false)
    expect(read(delayRange, '1-2-3')).toBeUndefined()
    expect(read(bookJobs, '16/2')).toEqual({ pages: 16, chapters: 2 })
    expect(read(bookJobs, 'auto')).toEqual({ pages: 'auto', chapters: 'auto' })
    expect(read(bookJobs, '0/2')).toBeUndefined()
  })
})

describe('small languages', () => {
  it('selections', () => {
    for (const text of ['1-3,7,10-', '10.5', '-1', '-3:', ':5', '1::2', '2:-2, 7'])
      expect(isSelection(text), text).toBe(true)
    for (const text of ['', 'a', '1--2', ',', '-', ':', '1-2-3', '-5-', '1:2:3:4', '1;2'])
      expect(isSelection(text), text).toBe(false)
  })

  it('commands: words, quoted as in a shell', () => {
    expect(parseCommand(`mv {} '/a b/' "c \\"d\\" $HOME" e\\ f x''y`)).toEqual([
      'mv',
      '{}',
      '/a b/',
      'c "d" $HOME',
      'e f',
      'xy',
    ])
    const wrong = ['', '  ', "'open", '"open', 'a \\', "'' a"]
    expect(wrong.map((each) => parseCommand(each))).toEqual(wrong.map(() => undefined))
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        const text = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ')
        expect(parseCommand(text)).toEqual(words[0] === '' ? undefined : words)
      }),
    )
  })

  it('hours', () => {
    expect(parseHours('22:00-06:30')).toEqual({ fromMinute: 1320, toMinute: 390 })
    expect(parseHours('0:00 - 24:00')).toEqual({ fromMinute: 0, toMinute: 1440 })
    expect(['22-6', '25:00-1:00', '1:60-2:00', '1:00-1:00'].map((each) => parseHours(each))).toEqual(
      Array(4).fill(undefined),
    )
  })

  it('start times', () => {
    const now = new Date(2026, 10, 20, 12, 0).getTime()
    expect(parseStartAt('13:30', now)).toBe(new Date(2026, 10, 20, 13, 30).getTime())
    expect(parseStartAt('12:00', now)).toBe(new Date(2026, 10, 21, 12, 0).getTime())
    expect(parseStartAt('2027-01-31T02:00:00Z', now)).toBe(Date.UTC(2027, 0, 31, 2))
    expect(parseStartAt('2027-01-31 02:00', now)).toBe(new Date(2027, 0, 31, 2).getTime())
    expect(['24:00', 'tomorrow', '2027-13-01', ''].map((each) => parseStartAt(each, now))).toEqual(
      Array(4).fill(undefined),
    )
  })

  it('checksums', () => {
    const md5 = 'D41D8CD98F00B204E9800998ECF8427E'
    expect(parseChecksum(`md5=${md5}`)).toEqual({ algorithm: 'md5', value: md5.toLowerCase() })
    expect(parseChecksum(`sha256:${'0'.repeat(64)}`)).toEqual({ algorithm: 'sha-256', value: '0'.repeat(64) })
    expect([`sha-1=${md5}`, 'md5', `md4=${md5}`, 'md5=xyz'].map((each) => parseChecksum(each))).toEqual(
      Array(4).fill(undefined),
    )
  })

  it('sizes and strips', () => {
    expect(parseResize('1600x2400')).toEqual({ widthPx: 1600, heightPx: 2400 })
    expect(parseResize('x2400')).toEqual({ heightPx: 2400 })
    expect(parseResize('50%')).toEqual({ percent: 50 })
    expect(['x', '0x5', '0%', '5'].map((each) => parseResize(each))).toEqual(Array(4).fill(undefined))
    expect(parsePageSize('A4')).toEqual({ rule: 'sheet', widthMm: 210, heightMm: 297 })
    expect(parsePageSize('100x150.5mm')).toEqual({ rule: 'sheet', widthMm: 100, heightMm: 150.5 })
    expect(parsePageSize('image')).toEqual({ rule: 'image' })
    expect(parsePageSize('constructor')).toBeUndefined()
    expect(parseDescramble('strips:10')).toEqual({ strips: 10 })
    expect(['strips:1', 'strips:', 'x'].map((each) => parseDescramble(each))).toEqual(
      Array(3).fill(undefined),
    )
  })
})

describe('addresses', () => {
  it('of proxies and hosts', () => {
    const proxies = ['http://p:3128', 'socks5://me:pw@[::1]:1080', 'p:3128', 'socks4a://p/']
    for (const each of proxies) expect(readOption('proxy', [each])).toEqual({ value: each })
    for (const each of ['ftp://p', 'http://', 'http://p/path', 'a b']) {
      expect(readOption('proxy', [each]), each).toEqual({ bad: each })
    }
    const fixed = ['a.org:443:192.0.2.1', 'a.org:*:[::1],192.0.2.1']
    expect(readOption('resolve', fixed)).toEqual({ value: fixed })
    for (const each of ['a.org:443', 'a.org:x:1.2.3.4', '443:1.2.3.4']) {
      expect(readOption('resolve', [each]), each).toEqual({ bad: each })
    }
  })
})

describe('nearest', () => {
  it('finds what was meant, and nothing where nothing is near', () => {
    const known = ['timeout', 'retries', 'maxPerHost']
    expect(['tiemout', 'RETRIES', 'max_per_host', 'retrys'].map((each) => nearest(each, known))).toEqual([
      'timeout',
      'retries',
      'maxPerHost',
      'retries',
    ])
    expect(['', 'x', 'colour', 'z'.repeat(1000)].map((each) => nearest(each, known))).toEqual(
      Array(4).fill(undefined),
    )
  })
})
