import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileTemplate,
  downloadFields,
  downloadValues,
  type TemplateValues,
} from '../../../src/storage/naming/index.ts'

const values: TemplateValues = {
  name: 'a.jpg',
  stem: 'a',
  ext: 'jpg',
  title: 'The Long Road: part 2/3',
  ordinal: 7,
  number: '10.5',
  volume: 3,
  empty: '',
  missing: undefined,
  when: new Date('2024-05-07T08:09:10Z'),
  published: '1899-05',
  year: '1899',
  local: '2024-05-07 23:30',
  offset: '2024-05-07T23:30:00-02:00',
  lastModified: 'Tue, 07 May 2024 08:09:10 GMT',
  path: 'a/../b//c d/e.txt',
  evil: '../../etc',
  dots: '..',
  hidden: '.bashrc',
  'image url': 'x y',
  wide: '\u4f60\u597d\u4e16\u754c',
}

function render(text: string): string {
  return compileTemplate(text).render(values)
}

describe('compileTemplate', () => {
  it.each([
    ['{name}', 'a.jpg'],
    ['plain.txt', 'plain.txt'],
    ['{ordinal:05}.{ext}', '00007.jpg'],
    ['{title}.{ext}', 'The Long Road_ part 2_3.jpg'],
    ['{volume:02}/{number:03} {title:.8}', '03/010.5 The Long'],
    ['{title:lower:.8b}', 'the long'],
    ['{title:upper:.8}', 'THE LONG'],
    ['{stem:title}', 'A'],
    ['{wide:.7b}', '\u4f60\u597d'],
    ['{wide:.3}', '\u4f60\u597d\u4e16'],
    ['{missing|empty|title:.3}', 'The'],
    ['{missing|"un/titled"}', 'un_titled'],
    ['{missing|"untitled":upper}', 'UNTITLED'],
    ['{ missing | name }', 'a.jpg'],
    ['{image url}', 'x y'],
    ['{{{name}}}', '{a.jpg}'],
    ['{?v{volume:02} ?}{name}', 'v03 a.jpg'],
    ['{?v{missing:02} ?}{name}', 'a.jpg'],
    ['{?{missing}/?}{name}', 'a.jpg'],
    ['{?{volume}/?}{name}', '3/a.jpg'],
    ['{?a{volume}{?-{missing}?}?}.x', 'a3.x'],
    ['{when}', '2024-05-07'],
    ['{when:%Y/%m}', '2024_05'],
    ['{when:%Y}/{when:%m%d-%H%M%S} {when:%j %y%%}', '2024/0507-080910 128 24%'],
    ['{lastModified:%Y-%m-%d}', '2024-05-07'],
    ['{local:%d %H}', '07 23'],
    ['{offset:%d %H}', '08 01'],
    ['{published:%Y}', '1899'],
    ['{published:%Y-%m-%d}', '1899-05'],
    ['{year:%Y-%m}', '1899'],
    ['{title:%Y}', 'The Long Road_ part 2_3'],
    ['{ordinal:%Y}', '7'],
    ['{path}', 'a_.._b__c d_e.txt'],
    ['{path:folders}', 'a/b/c d/e.txt'],
    ['x-{path:folders:upper}', 'x-A/B/C D/E.TXT'],
    ['{evil}', '_.._.._etc'],
    ['{evil:folders}/{name}', 'etc/a.jpg'],
    ['{dots}/{name}', '_/a.jpg'],
    ['{dots:folders}/{name}', 'a.jpg'],
    ['{hidden}', '_.bashrc'],
    ['.{stem}', '.a'],
    ['.{title:.2}/.{missing}{hidden}', '.Th/..bashrc'],
    ['-{stem}', '-a'],
    ['{missing}/{name}', 'a.jpg'],
    ['{missing}', '_'],
    ['{missing}.{ext}', '.jpg'],
    ['{title:.4}.', 'The'],
    ['a\\{name}', 'a/a.jpg'],
    ['constructor {constructor}', 'constructor'],
  ])('renders %j', (text, expected) => {
    expect(render(text)).toBe(expected)
  })

  it.each([
    ['', 1, 'empty'],
    ['{name', 1, 'not closed'],
    ['ab{name:05', 3, 'not closed'],
    ['a}b', 2, 'stands alone'],
    ['x{}', 3, 'name of a field is missing'],
    ['x{a|}', 5, 'name of a field is missing'],
    ['x{a|"b}', 5, 'quote is not closed'],
    ['x{"b"c}', 6, 'after the quote'],
    ['{name:zz}', 7, 'unknown format "zz"'],
    ['{name:.0}', 7, 'unknown format ".0"'],
    ['{name:}', 7, 'unknown format ""'],
    ['{when:%Q}', 7, 'unknown format "%Q"'],
    ['{when:%}', 7, 'unknown format "%"'],
    ['a {?b', 3, '"{?" is not closed'],
    ['a {?b{x}', 3, '"{?" is not closed'],
    ['a {?b?}', 3, 'has no field'],
    ['{name}/', 8, 'ends with a folder'],
    ['{a{b}}', 1, 'not closed'],
  ])('refuses %j with the column', (text, column, problem) => {
    expect(() => compileTemplate(text, { option: 'book.name' })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: expect.stringContaining(problem),
        context: expect.objectContaining({ column, field: 'book.name' }),
      }),
    )
  })

  it('knows which fields there are, where it is told', () => {
    const fields = ['name', 'header.*']
    expect(compileTemplate('{name}{header.etag}', { fields }).fields).toEqual(['name', 'header.etag'])
    expect(() => compileTemplate('{nam}', { fields })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID', hint: 'Fields are name, header.*.' }),
    )
  })

  it.each([
    '../{name}',
    '/{name}',
    '\\{name}',
    'C:{name}',
    'a/../{name}',
    '{name}/..',
    '..',
    '.trawl/{name}',
  ])('refuses %j, which leads out of the folder', (text) => {
    expect(() => compileTemplate(text)).toThrow(expect.objectContaining({ code: 'ERR_PATH_UNSAFE' }))
  })

  it('names each field once', () => {
    expect(compileTemplate('{a|b}{?{c}{a}?}{"x"}').fields).toEqual(['a', 'b', 'c'])
  })

  it('shortens each component and keeps its extension', () => {
    const long = compileTemplate('{x}/{x}.tar.gz').render({ x: '\u00e9'.repeat(300) })
    expect(long.split('/').map((part) => Buffer.byteLength(part))).toEqual([254, 255])
    expect(long.endsWith('\u00e9.tar.gz')).toBe(true)
    expect(
      compileTemplate('{x}.jpg', { limits: { maxBytes: 20, reserveBytes: 6 } }).render({ x: 'a'.repeat(99) }),
    ).toBe(`${'a'.repeat(10)}.jpg`)
  })

  it('either refuses a template with a column, or renders a safe path of it', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...'{a} {b} {? ?} { } {{ }} / \\ .. . : | " {a|b} {c:05} {b:folders} {a:.3b} {a:lower} {d:%Y} .trawl C:'.split(
          ' ',
        ),
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('../x', '/etc', '..', '.', '\\\\s\\h', 'C:\\', 'CON', '\0', '.trawl'),
      fc.double(),
      fc.date({ noInvalidDate: false }),
    )
    const record = fc.record({ a: value, b: value, c: value, d: value }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), record, (pieces, given) => {
        let template
        try {
          template = compileTemplate(pieces.join(''))
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(CONFIG_INVALID|PATH_UNSAFE)$/) })
          return
        }
        const path = template.render(given)
        for (const part of path.split('/')) {
          expect(part).not.toMatch(/^\.{0,2}$|[\\\0:]|[. ]$/)
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255)
        }
        expect(path).not.toMatch(/^\.trawl(\/|$)/i)
      }),
      { numRuns: 1500 },
    )
  })
})

describe('downloadValues', () => {
  const download = {
    url: 'https://u:p@example.org/data/a%2Fb/%E4%BD%A0.tar.gz?id=7&q=a/b#x',
    contentType: 'application/gzip',
    ordinal: 4,
    headers: { etag: '"x"', 'set-cookie': ['a=1', 'b=2'], 'last-modified': 'Tue, 07 May 2024 08:09:10 GMT' },
    columns: { caption: 'a cat', host: 'of the row' },
    startedMs: Date.UTC(2025, 0, 2),
  }

  it.each([
    ['{name}', '\u4f60.tar.gz'],
    ['{stem}-{ext}', '\u4f60-tar.gz'],
    ['{host}', 'example.org'],
    ['{column.host}', 'of the row'],
    ['{path:folders}', 'data/a_b/\u4f60.tar.gz'],
    ['{dir}', 'data_a_b'],
    ['{query.id}{query.none}', '7'],
    ['{query.q}', 'a_b'],
    ['{ordinal} {index}', '4 5'],
    ['{header.etag} {header.Set-Cookie}', '_x_ a=1'],
    ['{modified} {date}', '2024-05-07 2025-01-02'],
    ['{caption}', 'a cat'],
    ['{none|"-"}', '-'],
    ['{hash:.2}/{name}', '38/\u4f60.tar.gz'],
  ])('gives %s', (text, expected) => {
    const template = compileTemplate(text)
    const path = template.render(downloadValues(template, download))
    expect(path.replace(/^[0-9a-f]{2}\//, '38/')).toBe(expected)
  })

  it('computes only what is asked for, and survives addresses that are none', () => {
    const template = compileTemplate('{host|path|dir|query.x|modified|"?"}', {
      fields: downloadFields,
    })
    const found = downloadValues(template, { url: 'nonsense', ordinal: 0 })
    expect(Object.keys(found)).toEqual(['host', 'path', 'dir', 'query.x', 'modified'])
    expect(template.render(found)).toBe('_')
  })
})
