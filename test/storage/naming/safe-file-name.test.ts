import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { safeFileName } from '../../../src/storage/naming/index.ts'

/** Text that likes to break names: separators, dots, devices, marks, surrogates, long runs. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        '\0',
        ' ',
        '-',
        ':',
        '?',
        'CON',
        'nul',
        'COM1',
        'lpt9',
        '.tar.gz',
        '.user.js',
        '\u202e',
        '\u200b',
        '\u0301',
        '\u2028',
        '\ud800',
        '\udc00',
        '\u{1f469}\u200d\u{1f469}',
        '\u00e9',
        'e\u0301',
        '.trawl',
        'a'.repeat(250),
        '\u4f60'.repeat(90),
        '.'.repeat(300),
        ' '.repeat(20),
        '\ufb01',
        '\u212a',
        '%2e',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

const device = /^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[\d\u00b9\u00b2\u00b3])\s*(\.|$)/i

function expectSafe(name: string, maxBytes: number): void {
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(maxBytes)
  expect(Buffer.byteLength(name)).toBeGreaterThan(0)
  expect(name).not.toMatch(/[/\\\p{Cc}\p{Cs}<>:"|?*\u2028\u2029]/u)
  expect(name).not.toMatch(/\p{Default_Ignorable_Code_Point}/u)
  expect(name).not.toMatch(/[. ]$/)
  expect(name).not.toMatch(/^[ .-]/)
  expect(name).not.toMatch(device)
  expect(name).toBe(name.normalize('NFC'))
}

describe('safeFileName', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['My file (2) [x].tar.gz', 'My file (2) [x].tar.gz'],
    ['../../etc/passwd', '_.._.._etc_passwd'],
    ['/etc/passwd', '_etc_passwd'],
    ['C:\\Windows\\win.ini', 'C__Windows_win.ini'],
    ['\\\\server\\share', '__server_share'],
    ['a\0b\r\nc', 'a_b__c'],
    ['a<b>:"c|d?e*f', 'a_b___c_d_e_f'],
    ['', '_'],
    ['.', '_'],
    ['..', '_'],
    ['. . .', '_'],
    ['   ', '_'],
    ['name.', 'name'],
    ['name. . ', 'name'],
    ['\u3000wide\u3000', 'wide'],
    ['-rf', '_-rf'],
    ['.htaccess', '_.htaccess'],
    ['.trawl', '_.trawl'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['AUX .tar.gz', '_AUX .tar.gz'],
    ['COM1', '_COM1'],
    ['lpt\u00b9.log', '_lpt\u00b9.log'],
    ['CONIN$', '_CONIN$'],
    ['COM10.txt', 'COM10.txt'],
    ['content.zip', 'content.zip'],
    ['nullable', 'nullable'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['a\u200bb\ufeffc', 'abc'],
    ['e\u0301.txt', '\u00e9.txt'],
    ['e\u200b\u0301.txt', '\u00e9.txt'],
    ['\ud800x', '_x'],
    ['\u{1f600}.png', '\u{1f600}.png'],
  ])('makes %j safe', (text, expected) => {
    expect(safeFileName(text)).toBe(expected)
  })

  it('keeps the leading dot and dash that a user typed, but never the state folder', () => {
    expect(safeFileName('.env', { leading: 'keep' })).toBe('.env')
    expect(safeFileName('-x', { leading: 'keep' })).toBe('-x')
    expect(safeFileName('.trawl', { leading: 'keep' })).toBe('_.trawl')
    expect(safeFileName('.TRAWL. ', { leading: 'keep' })).toBe('_.TRAWL')
    expect(safeFileName('..', { leading: 'keep' })).toBe('_')
  })

  it.each([
    [`${'a'.repeat(300)}.pdf`, `${'a'.repeat(251)}.pdf`],
    [`${'a'.repeat(300)}.tar.gz`, `${'a'.repeat(248)}.tar.gz`],
    [`${'a'.repeat(300)}.user.js`, `${'a'.repeat(247)}.user.js`],
    [`${'\u4f60'.repeat(100)}.jpg`, `${'\u4f60'.repeat(83)}.jpg`],
    [`${'a'.repeat(100)}.${'b'.repeat(300)}`, `${'a'.repeat(100)}.${'b'.repeat(154)}`],
    [`${'a'.repeat(250)} and more.pdf`, `${'a'.repeat(250)}.pdf`],
  ])('shortens by bytes and keeps the extension (%#)', (text, expected) => {
    expect(safeFileName(text)).toBe(expected)
  })

  it('does not cut a grapheme in two', () => {
    const flag = '\u{1f1e9}\u{1f1ea}'
    expect(safeFileName(flag.repeat(10), { maxBytes: 20 })).toBe(flag.repeat(2))
    const accented = 'x\u0323\u0307'.normalize('NFC')
    expect(safeFileName(accented.repeat(20), { maxBytes: 11 })).toBe(accented.repeat(2))
  })

  it('cuts a grapheme longer than the limit between code points', () => {
    const name = safeFileName(`a${'\u0323\u0307'.repeat(300)}`)
    expectSafe(name, 255)
    expect(Buffer.byteLength(name)).toBeGreaterThan(250)
  })

  it('leaves room for what is put behind the name', () => {
    expect(safeFileName(`${'a'.repeat(300)}.zip`, { reserveBytes: 10 })).toBe(`${'a'.repeat(241)}.zip`)
  })

  it('does not uncover a device name by cutting', () => {
    expect(safeFileName('CONSOLE', { maxBytes: 3 })).toBe('_CO')
  })

  it('gives safe names for hostile text, and leaves its own results alone', () => {
    fc.assert(
      fc.property(hostileText, fc.constantFrom(255, 143, 40, 8), (text, maxBytes) => {
        const name = safeFileName(text, { maxBytes })
        expectSafe(name, maxBytes)
        expect(safeFileName(name, { maxBytes })).toBe(name)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps plain names as they are', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9_][a-z0-9_. -]{0,60}[a-z0-9_]$/), (text) => {
        fc.pre(!device.test(text))
        expect(safeFileName(text)).toBe(text)
      }),
    )
  })
})
