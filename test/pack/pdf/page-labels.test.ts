import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PageLabels, parseLabel } from '../../../src/pack/pdf/page-labels.ts'
import { fromRoman, toRoman } from '../../../src/pack/pdf/roman.ts'

const text = (value: string) => `(${value})`
const objectOf = (labels: readonly (string | undefined)[]) => {
  const out = new PageLabels()
  for (const label of labels) out.add(label)
  return out.toObject(text)
}

describe('page labels', () => {
  it('are left out where no page has one', () => {
    expect(objectOf([undefined, undefined])).toBeUndefined()
  })

  it('make ranges of roman and decimal numbers, and prefixes of the rest', () => {
    expect(
      objectOf(['[cover]', 'i', 'ii', 'iii', 'iv', 'v', '1', '2', '3', 'A-1', 'A-2', '7', 'X', 'XI']),
    ).toBe(
      [
        '<< /Nums [0 << /P ([cover]) >>',
        '1 << /S /r >>',
        '6 << /S /D >>',
        '9 << /S /D /P (A-) >>',
        '11 << /S /D /St 7 >>',
        '12 << /S /R /St 10 >>] >>',
      ].join('\n'),
    )
  })

  it('keep leading zeros, and give pages without a label their place', () => {
    expect(objectOf(['008', '009', undefined, undefined])).toBe(
      '<< /Nums [0 << /S /D /P (00) /St 8 >>\n2 << /S /D /St 3 >>] >>',
    )
  })

  it('split any label so that its parts make it again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.nat(1_000_000), (prefix, number) => {
        for (const label of [prefix, `${prefix}${number}`]) {
          const form = parseLabel(label)
          const digits = {
            D: String(form.number),
            r: toRoman(form.number).toLowerCase(),
            R: toRoman(form.number),
            '': '',
          }
          expect(form.prefix + digits[form.style]).toBe(label)
        }
      }),
    )
  })

  it('know roman numbers up to 3999', () => {
    for (let number = 1; number < 4000; number++) expect(fromRoman(toRoman(number))).toBe(number)
    for (const wrong of ['', 'IIII', 'VX', 'IC', 'MMMM', 'ABC']) expect(fromRoman(wrong)).toBe(0)
  })
})
