import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameKey, NameRegistry } from '../../../src/storage/naming/index.ts'

describe('nameKey', () => {
  it.each([
    ['README.TXT', 'readme.txt'],
    ['\u00c9t\u00e9.txt', 'e\u0301te\u0301.txt'],
    ['Stra\u00dfe', 'STRASSE'],
    ['\u1e9e', 'ss'],
    ['name. ', 'NAME'],
    ['dir./a', 'DIR/A'],
    ['\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2', '\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3'],
    ['\u212a', 'k'],
  ])('takes %j and %j for one', (a, b) => {
    expect(nameKey(a)).toBe(nameKey(b))
  })

  it.each([
    ['a', 'b'],
    ['a/b', 'ab'],
    ['e', '\u00e9'],
    ['a.b', 'ab'],
    ['a b', 'ab'],
  ])('keeps %j and %j apart', (a, b) => {
    expect(nameKey(a)).not.toBe(nameKey(b))
  })

  it('does not depend on case or composition', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        const key = nameKey(text)
        expect(nameKey(text.toUpperCase())).toBe(key)
        expect(nameKey(text.toLowerCase())).toBe(key)
        expect(nameKey(text.normalize('NFD'))).toBe(key)
        expect(nameKey(text.normalize('NFC'))).toBe(key)
        expect(nameKey(key)).toBe(key)
      }),
      { numRuns: 500 },
    )
  })
})

describe('NameRegistry', () => {
  it('gives numbers in order, over case, composition and folders', () => {
    const names = new NameRegistry()
    expect(names.claim('a.tar.gz')).toBe('a.tar.gz')
    expect(names.claim('a.tar.gz')).toBe('a (1).tar.gz')
    expect(names.claim('A.TAR.GZ')).toBe('A (2).TAR.GZ')
    expect(names.claim('dir/a.tar.gz')).toBe('dir/a.tar.gz')
    expect(names.claim('DIR/a.tar.gz')).toBe('DIR/a (1).tar.gz')
    expect(names.claim('\u00e9')).toBe('\u00e9')
    expect(names.claim('e\u0301')).toBe('e\u0301 (1)')
    expect(names.size).toBe(7)
  })

  it('steps over numbers that are names themselves', () => {
    const names = new NameRegistry()
    for (const name of ['a (1).txt', 'a (2).txt', 'a.txt']) names.claim(name)
    expect(names.claim('a.txt')).toBe('a (3).txt')
    expect(names.claim('a.txt')).toBe('a (4).txt')
  })

  it('never gives a file the name of a folder, nor a folder that of a file', () => {
    const names = new NameRegistry()
    expect(names.claim('x/y')).toBe('x/y')
    expect(names.claim('x')).toBe('x (1)')
    expect(names.claim('X')).toBe('X (2)')
    expect(names.claim('x/y/z')).toBe('x/y (1)/z')
    expect(names.claim('x/y/w')).toBe('x/y (1)/w')
    expect(names.claim('x/y (1)')).toBe('x/y (1) (1)')
    expect(names.add('x')).toBe(false)
    expect(names.add('x/y/v')).toBe(false)
    expect(names.has('x/y/v')).toBe(false)
  })

  it('adds exactly, and releases', () => {
    const names = new NameRegistry()
    expect(names.add('a')).toBe(true)
    expect(names.add('A')).toBe(false)
    expect(names.has('A.')).toBe(true)
    expect(names.release('a')).toBe(true)
    expect(names.release('a')).toBe(false)
    expect(names.has('a')).toBe(false)
    expect(names.claim('a')).toBe('a')
    expect(names.size).toBe(1)
  })

  it('numbers a hundred thousand twins', () => {
    const names = new NameRegistry()
    for (let i = 0; i < 100_000; i++) names.claim('same.txt')
    expect(names.claim('same.txt')).toBe('same (100000).txt')
  })

  it('finds a free number for twins whose last number was forgotten', () => {
    const names = new NameRegistry()
    const given = new Set<string>()
    for (let i = 0; i < 20_000; i++) given.add(names.claim(`n${i % 10}`))
    // More names with twins than the table of last numbers has places.
    for (let i = 0; i < 70_000; i++) for (let twin = 0; twin < 2; twin++) given.add(names.claim(`m${i}`))
    for (let i = 0; i < 1000; i++) given.add(names.claim(`n${i % 10}`))
    expect(given.size).toBe(161_000)
    expect(names.size).toBe(161_000)
    expect(names.has('n9 (2099)')).toBe(true)
  })

  it('never gives one key twice', () => {
    const part = fc.constantFrom('a', 'A', 'a.', 'b.txt', 'B.txt', 'b (1).txt', '\u00e9', 'E\u0301', 'a (1)')
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    const command = fc.record({ do: fc.constantFrom('claim', 'claim', 'add', 'release', 'has'), path })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const names = new NameRegistry()
        const files = new Set<string>()
        const folders = new Set<string>()
        const keep = (given: string): void => {
          const parts = nameKey(given).split('/')
          for (let i = 1; i < parts.length; i++) folders.add(parts.slice(0, i).join('/'))
          files.add(nameKey(given))
        }
        for (const { do: action, path } of commands) {
          const key = nameKey(path)
          if (action === 'has') expect(names.has(path)).toBe(files.has(key))
          if (action === 'release') expect(names.release(path)).toBe(files.delete(key))
          if (action === 'add' && names.add(path)) {
            expect(files.has(key)).toBe(false)
            keep(path)
          }
          if (action === 'claim') {
            const given = names.claim(path)
            expect(files.has(nameKey(given))).toBe(false)
            keep(given)
          }
          for (const folder of folders) expect(files.has(folder)).toBe(false)
          expect(names.size).toBe(files.size)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('keeps a large model exactly through growth and deletion', () => {
    const names = new NameRegistry()
    const model = new Set<string>()
    let state = 12345
    for (let i = 0; i < 60_000; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      const name = `f${state % 9000}`
      if (state % 3 === 0) expect(names.release(name)).toBe(model.delete(name))
      else expect(names.add(name)).toBe(!model.has(name) && model.add(name) === model)
    }
    for (let i = 0; i < 9000; i++) expect(names.has(`f${i}`)).toBe(model.has(`f${i}`))
    expect(names.size).toBe(model.size)
  })
})
