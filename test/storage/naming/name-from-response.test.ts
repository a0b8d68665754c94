import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSegment, lastSegment, nameFromResponse } from '../../../src/storage/naming/index.ts'

describe('nameFromResponse', () => {
  it.each([
    ['https://example.org/a/b.zip?x=/1.txt#/y', 'b.zip'],
    ['https://example.org/a/b.zip#f?q', 'b.zip'],
    ['https://example.org/gallery/', 'gallery'],
    ['https://example.org/gallery///', 'gallery'],
    ['https://example.org', 'example.org'],
    ['https://example.org/', 'example.org'],
    ['https://example.org?file=/a.zip', 'example.org'],
    ['https://user:pw@example.org:8080/', 'example.org'],
    ['http://127.0.0.1:9000/', '127.0.0.1'],
    ['http://[2001:db8::1]/', '2001_db8__1'],
    ['https://example.org/..', 'example.org'],
    ['https://example.org/%2e%2e', 'example.org'],
    ['https://example.org/%2e%2e%2fetc%2fpasswd', '_.._etc_passwd'],
    ['https://example.org/a%2Fb%5Cc.txt', 'a_b_c.txt'],
    ['https://example.org/%E4%BD%A0%E5%A5%BD.jpg', '\u4f60\u597d.jpg'],
    ['https://example.org/%E9t%C3%A9-100%.txt', '%E9t\u00e9-100%.txt'],
    ['https://example.org/a%00b', 'a_b'],
    ['https://example.org/a+b%20c.txt', 'a+b c.txt'],
    ['not an address', 'download'],
  ])('names %s by its path or host', (url, expected) => {
    expect(nameFromResponse({ url })).toBe(expected)
  })

  it.each([
    ['report.pdf', 'report.pdf'],
    ['r\u00e9sum\u00e9.pdf', 'r\u00e9sum\u00e9.pdf'],
    ['folder/report.pdf', 'report.pdf'],
    ['.bashrc', '_.bashrc'],
    ['../report.pdf', 'u.bin'],
    ['a/../report.pdf', 'u.bin'],
    ['..\\..\\report.pdf', 'u.bin'],
    ['/etc/passwd', 'u.bin'],
    ['C:\\Users\\x\\report.pdf', 'u.bin'],
    ['\\\\server\\share\\x', 'u.bin'],
    ['report\0.pdf', 'u.bin'],
    ['report\r\n.pdf', 'u.bin'],
    ['..', 'u.bin'],
    ['', 'u.bin'],
    ['  ', 'u.bin'],
    ['folder/', 'u.bin'],
  ])('takes Content-Disposition %j when it is safe', (contentDispositionName, expected) => {
    expect(nameFromResponse({ url: 'https://x.example/u.bin', contentDispositionName })).toBe(expected)
  })

  it('prefers the address asked for to the one that answered', () => {
    const finalUrl = 'https://cdn.example/9f/blob.zip'
    expect(nameFromResponse({ url: 'https://x.example/get.zip', finalUrl })).toBe('get.zip')
    expect(nameFromResponse({ url: 'https://x.example/?id=1', finalUrl })).toBe('blob.zip')
    expect(nameFromResponse({ url: 'https://x.example/?id=1', finalUrl: 'https://cdn.example/' })).toBe(
      'x.example',
    )
  })

  it.each([
    ['https://x.example/about', 'application/pdf', 'about.pdf'],
    ['https://x.example/pic', 'IMAGE/JPEG; q=1', 'pic.jpg'],
    ['https://x.example/2301.12345', 'application/pdf', '2301.12345.pdf'],
    ['https://x.example/', 'image/png', 'x.example.png'],
    ['https://x.example/a.php', 'image/png', 'a.php'],
    ['https://x.example/a.jpeg', 'image/jpeg', 'a.jpeg'],
    ['https://x.example/about', 'application/octet-stream', 'about'],
    ['https://x.example/about', 'text/html; charset=utf-8', 'about'],
    ['https://x.example/about', 'text/plain', 'about'],
    ['https://x.example/about', '', 'about'],
  ])('adds an extension only where one is missing and certain: %s %s', (url, contentType, expected) => {
    expect(nameFromResponse({ url, contentType })).toBe(expected)
  })

  it('keeps the limit with an added extension', () => {
    const url = `https://x.example/${'a'.repeat(300)}`
    expect(nameFromResponse({ url, contentType: 'image/png' })).toBe(`${'a'.repeat(251)}.png`)
    expect(nameFromResponse({ url, contentType: 'image/png' }, { maxBytes: 20 })).toBe(
      `${'a'.repeat(16)}.png`,
    )
  })

  it('agrees with the URL standard about the last segment of ordinary addresses', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (text) => {
        const segments = new URL(text).pathname.split('/').filter((part) => part !== '')
        const last = decodeSegment(segments.at(-1) ?? '')
        fc.pre(!text.includes('/.') && !text.includes('%2e'))
        // A name of spaces alone is none.
        expect(lastSegment(text)).toBe(last.trim() === '' ? undefined : last)
      }),
      { numRuns: 60 },
    )
  })

  it('gives one safe component for any answer', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(
      fc.property(text, text, text, (path, contentDispositionName, contentType) => {
        const name = nameFromResponse({
          url: `https://x.example/${path}`,
          contentDispositionName,
          contentType,
        })
        expect(name).not.toMatch(/[/\\\0]|^\.|^$/)
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
      }),
    )
  })
})

describe('decodeSegment', () => {
  it('undoes encodeURIComponent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeSegment(encodeURIComponent(text))).toBe(text)
      }),
    )
  })

  it.each([
    ['%', '%'],
    ['%zz', '%zz'],
    ['%E4%BD', '%E4%BD'],
    ['%E4%BD%41', '%E4%BDA'],
    ['%C0%AF', '%C0%AF'],
    ['%ED%A0%80', '%ED%A0%80'],
    ['%F0%9F%98%80%FF', '\u{1f600}%FF'],
    ['%2541', '%41'],
  ])('keeps what is not valid: %s', (text, expected) => {
    expect(decodeSegment(text)).toBe(expected)
  })
})
