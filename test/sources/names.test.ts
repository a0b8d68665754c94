import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chapterNumber, compareNaturally } from '../../src/sources/index.ts'
import { folderTitle, lastSegment, looksLikeImage } from '../../src/sources/image-url.ts'
import { parseSrcset } from '../../src/sources/html/srcset.ts'

describe('compareNaturally', () => {
  it('puts numbers by value', () => {
    const names = ['p10.jpg', 'P9.jpg', 'p1.jpg', 'p02.jpg', 'cover.jpg', 'p1000.jpg', 'p101.jpg']
    expect(names.sort(compareNaturally)).toEqual([
      'cover.jpg',
      'p1.jpg',
      'p02.jpg',
      'P9.jpg',
      'p10.jpg',
      'p101.jpg',
      'p1000.jpg',
    ])
  })

  it('is a total order', () => {
    const name = fc.stringMatching(/^[aAbB0129._ -]{0,6}$/)
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareNaturally(a, b))).toBe(-Math.sign(compareNaturally(b, a)) || 0)
        expect(compareNaturally(a, b) === 0).toBe(a === b)
      }),
    )
  })
})

describe('chapterNumber', () => {
  it.each([
    ['Chapter 10.5 - The sea', '10.5'],
    ['ch_003', '3'],
    ['Vol. 2', '2'],
    ['007', '7'],
    ['#12', '12'],
    ['Kapitel 4', '4'],
    ['The 39 Steps', undefined],
    ['1899-05', undefined],
    ['', undefined],
  ])('of %j is %s', (title, expected) => expect(chapterNumber(title)).toBe(expected))
})

describe('addresses', () => {
  it.each([
    ['https://example.org/a/b%20c/1.jpg?x=/y.png', 'b c', '1.jpg', true],
    ['https://example.org/', 'example.org', undefined, false],
    ['https://example.org/a/', 'a', 'a', false],
    ['https://example.org/%E0/1.JPEG#x', '%E0', '1.JPEG', true],
    ['/home/me/comic/1.webp', 'comic', '1.webp', true],
  ])('%s', (url, folder, last, image) => {
    expect([folderTitle(url), lastSegment(url), looksLikeImage(url)]).toEqual([folder, last, image])
  })
})

describe('parseSrcset', () => {
  it.each([
    ['a.jpg 1x, b.jpg 2x', ['a.jpg 1x', 'b.jpg 2x']],
    ['a.jpg', ['a.jpg 1x']],
    ['a.jpg,b.jpg 300w', ['a.jpg,b.jpg 300w']],
    ['a.jpg, b.jpg 300w 200h', ['a.jpg 1x', 'b.jpg 300w']],
    ['  ,  ', []],
    ['data:image/png;base64,AA== 1x, x,y.jpg 2.5x', ['data:image/png;base64,AA== 1x', 'x,y.jpg 2.5x']],
  ])('%j', (text, expected) => {
    expect(parseSrcset(text).map(({ url, value, unit }) => `${url} ${value}${unit}`)).toEqual(expected)
  })

  it('ends on any text', () => {
    fc.assert(fc.property(fc.string(), (text) => parseSrcset(text).length <= text.length + 1))
  })
})
