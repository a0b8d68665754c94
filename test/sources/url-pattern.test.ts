import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseUrlPattern } from '../../src/sources/index.ts'

const expand = (text: string) => [...parseUrlPattern(text).expand()].map((found) => found.url)

describe('parseUrlPattern', () => {
  it.each([
    [
      'http://a/p-[8-11].jpg',
      ['http://a/p-8.jpg', 'http://a/p-9.jpg', 'http://a/p-10.jpg', 'http://a/p-11.jpg'],
    ],
    ['http://a/[08-10]', ['http://a/08', 'http://a/09', 'http://a/10']],
    ['http://a/[098-101:3]', ['http://a/098', 'http://a/101']],
    ['http://a/[0-2]', ['http://a/0', 'http://a/1', 'http://a/2']],
    ['http://a/[1-9:2]', ['http://a/1', 'http://a/3', 'http://a/5', 'http://a/7', 'http://a/9']],
    ['http://a/[a-c]', ['http://a/a', 'http://a/b', 'http://a/c']],
    ['http://a/[A-E:2]', ['http://a/A', 'http://a/C', 'http://a/E']],
    ['http://a/[7-7]', ['http://a/7']],
    ['http://{one,two}.a/{,x}', ['http://one.a/', 'http://one.a/x', 'http://two.a/', 'http://two.a/x']],
    ['http://a/[1-2]/{x,y}', ['http://a/1/x', 'http://a/1/y', 'http://a/2/x', 'http://a/2/y']],
  ])('expands %s', (text, expected) => {
    expect(expand(text)).toEqual(expected)
    expect(parseUrlPattern(text).count).toBe(expected.length)
  })

  it.each([
    'http://a/plain?x=1',
    'http://[::1]/x',
    'http://[fe80::1%25eth0]:8080/x',
    'http://me@[2001:db8::1]/x',
    'http://a/?id[]=1&f[size]=2&f[created-at]=3',
    'http://a/scan[2020-01-02].jpg',
    'http://a/?v={"a":1,"b":2}',
    'http://a/{id}/x',
  ])('leaves %s alone', (text) => {
    expect(expand(text)).toEqual([text])
    expect(parseUrlPattern(text).groupCount).toBe(0)
  })

  it('keeps an IPv6 host and expands the path', () => {
    expect(expand('http://[::1]:80/[1-2]')).toEqual(['http://[::1]:80/1', 'http://[::1]:80/2'])
  })

  it('takes a backslash before a bracket as "plain"', () => {
    expect(expand('http://a/\\[1-2\\]/[1-2]{a\\,b,c\\}}')).toEqual([
      'http://a/[1-2]/1a,b',
      'http://a/[1-2]/1c}',
      'http://a/[1-2]/2a,b',
      'http://a/[1-2]/2c}',
    ])
  })

  it('tells what each group stands for', () => {
    expect(parseUrlPattern('http://a/[1-2]/{x,y}').at(2)).toEqual({ url: 'http://a/2/x', values: ['2', 'x'] })
  })

  it('is lazy: a huge range costs nothing until it is read', () => {
    const pattern = parseUrlPattern('http://a/[1-999999999999]/[1-9000]')
    expect(pattern.count).toBe(999_999_999_999 * 9000)
    expect(pattern.expand().next().value?.url).toBe('http://a/1/1')
    expect(pattern.at(pattern.count - 1).url).toBe('http://a/999999999999/9000')
  })

  it.each([
    ['http://a/[1-2', 10, 'not closed'],
    ['http://a/{x,y', 10, 'not closed'],
    ['http://a/{x,{y}}', 13, 'nested'],
    ['http://a/[5-1]', 11, 'backwards'],
    ['http://a/[c-a]', 11, 'backwards'],
    ['http://a/[1-a]', 11, 'not a range of numbers'],
    ['http://a/[a-9]', 11, 'not a range'],
    ['http://a/[A-z]', 11, 'not a range'],
    ['http://a/[-5]', 11, 'not a range'],
    ['http://a/[5-]', 11, 'not a range'],
    ['http://a/[1-9:0]', 15, '1 or more'],
    ['http://a/[1-9:x]', 15, 'not a step'],
    ['http://a/[1-9:2:2]', 15, 'not a step'],
    ['http://a/[1-9999999999999999]', 11, 'too long'],
    ['http://a/[1-999999999999][1-999999999999]', 1, 'too many'],
  ])('refuses %s and names the column', (text, column, message) => {
    expect(() => parseUrlPattern(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_URL_INVALID',
        message: expect.stringContaining(message),
        context: expect.objectContaining({ column }),
      }),
    )
  })

  it('gives as many different URLs as it counts', () => {
    const range = fc
      .tuple(fc.nat(50), fc.nat(20), fc.integer({ min: 1, max: 5 }), fc.nat(4))
      .map(([from, span, step, pad]) => `[${String(from).padStart(pad, '0')}-${from + span}:${step}]`)
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 3 }), (groups) => {
        const urls = expand(`http://a/${groups.join('/')}`)
        expect(urls.length).toBe(parseUrlPattern(`http://a/${groups.join('/')}`).count)
        expect(new Set(urls).size).toBe(urls.length)
      }),
      { numRuns: 100 },
    )
  })
})
