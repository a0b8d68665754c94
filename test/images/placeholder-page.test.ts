import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { checkImage, placeholderPage } from '../../src/images/index.ts'
import { glyph, plainText } from '../../src/images/placeholder/bitmap-font.ts'

function picture(character: string): string[] {
  const columns = glyph(character)
  return Array.from({ length: 7 }, (_, y) => columns.map((bits) => ((bits >> y) & 1 ? '#' : '.')).join(''))
}

describe('the font', () => {
  it('has every printable character, all different', () => {
    const all = Array.from({ length: 95 }, (_, i) => picture(String.fromCodePoint(32 + i)).join('\n'))
    expect(new Set(all).size).toBe(95)
    expect(all[0]).not.toContain('#')
    expect(picture('7')).toEqual(['#####', '....#', '...#.', '..#..', '.#...', '.#...', '.#...'])
    expect(picture('L')).toEqual(['#....', '#....', '#....', '#....', '#....', '#....', '#####'])
    expect(picture('\u3042')).toEqual(picture('\u65e5'))
  })

  it('writes accents and typographic marks plainly', () => {
    expect(plainText('Voilà – «ça» “naïve” … ½')).toBe('Voila - «ca» "naive" ... 1\u20442')
    expect(plainText('ﬁn')).toBe('fin')
  })
})

describe('placeholderPage', () => {
  it('is a whole grey image of the wanted size with text in the middle', async () => {
    for (const format of ['png', 'jpg'] as const) {
      const bytes = await placeholderPage({
        lines: ['page 57 missing', 'HTTP 404'],
        widthPx: 600,
        heightPx: 900,
        format,
      })
      const { facts } = await checkImage(bytes)
      expect(facts).toMatchObject({
        widthPx: 600,
        heightPx: 900,
        channels: 1,
        format: format === 'jpg' ? 'jpeg' : 'png',
      })
      const pixels = await sharp(bytes).toColourspace('b-w').raw().toBuffer()
      const ink = (from: number, to: number): number =>
        pixels.subarray(from * 600, to * 600).filter((value) => value < 100).length
      expect(ink(400, 500)).toBeGreaterThan(500)
      expect(ink(0, 300)).toBe(0)
      expect(ink(600, 900)).toBe(0)
    }
  })

  it('says different things for different texts, and wraps long ones inside the frame', async () => {
    const options = { widthPx: 400, heightPx: 500 }
    const one = await placeholderPage({ ...options, lines: ['page 57 missing'] })
    const other = await placeholderPage({ ...options, lines: ['page 58 missing'] })
    expect(one.equals(other)).toBe(false)
    const long = await placeholderPage({ ...options, lines: [`https://example.org/${'x'.repeat(150)}`] })
    const pixels = await sharp(long).toColourspace('b-w').raw().toBuffer()
    for (let y = 0; y < 500; y++) {
      for (const x of [...Array(20).keys(), ...Array.from({ length: 20 }, (_, i) => 380 + i)]) {
        expect(pixels[y * 400 + x]!).toBeGreaterThan(100)
      }
    }
  })

  it('survives absurd sizes', async () => {
    const tiny = await checkImage(await placeholderPage({ lines: ['x'], widthPx: 0, heightPx: -5 }))
    expect(tiny.facts).toMatchObject({ widthPx: 16, heightPx: 16 })
    await checkImage(await placeholderPage({ lines: [], widthPx: Number.NaN, heightPx: 20 }))
  })
})
