import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutEnd, cutMiddle, displayWidth, padTo } from '../../../src/cli/render/display-width.ts'
import { printableText } from '../../../src/cli/render/printable-text.ts'

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['plain.txt', 9],
    ['\u00e9t\u00e9', 3],
    ['e\u0301', 1],
    ['\u4f60\u597d', 4],
    ['\u30ab\u30ca', 4],
    ['\uff76\uff85', 2],
    ['\ud55c\uae00', 4],
    ['\uff21', 2],
    ['\u3001', 2],
    ['\u{20000}', 2],
    ['\u{1f600}', 2],
    ['\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 2],
    ['\u{1f1e9}\u{1f1ea}', 2],
    ['\u2764\ufe0f', 2],
    ['\u2764', 1],
    ['a\u200bb', 2],
    ['\u0414\u0430', 2],
  ])('%j takes %i columns', (text, columns) => {
    expect(displayWidth(text)).toBe(columns)
  })
})

describe('cutting', () => {
  it('cuts at the end or in the middle', () => {
    expect(cutEnd('a long name.txt', 10)).toBe('a long ...')
    expect(cutMiddle('a long name.txt', 10)).toBe('a lo...txt')
    expect(cutMiddle('\u4f60\u597d\u4e16\u754c\u4f60\u597d.txt', 12)).toBe('\u4f60\u597d....txt')
    expect(cutMiddle('abcdefgh', 4)).toBe('a...')
    expect(cutEnd('abcdefgh', 2)).toBe('ab')
    expect(padTo('ab', 5)).toBe('ab   ')
    expect(padTo('\u4f60\u597d\u4e16\u754c', 7)).toBe('\u4f60...\u754c')
  })

  it('never gives more columns than asked for, and pads to exactly as many', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        fc.integer({ min: 0, max: 20 }),
        (text, columns) => {
          expect(displayWidth(cutEnd(text, columns))).toBeLessThanOrEqual(columns)
          expect(displayWidth(cutMiddle(text, columns))).toBeLessThanOrEqual(columns)
          expect(displayWidth(padTo(text, columns))).toBe(columns)
        },
      ),
    )
  })
})

describe('printableText', () => {
  it.each([
    ['a\u001b[2Jb', 'ab'],
    ['a\u001b]0;title\u0007b', 'ab'],
    ['a\r\nb\tc', 'a b c'],
    ['a\u0000\u0008\u009b31mb', 'a b'],
    ['invoice\u202efdp.exe', 'invoice fdp.exe'],
    ['\u4f60 \u00e9', '\u4f60 \u00e9'],
  ])('takes the sting out of %j', (text, expected) => {
    expect(printableText(text)).toBe(expected)
  })

  it('leaves no control character in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printableText(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})
