import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isListFault,
  isMetalink,
  parseMetalink,
  readFileList,
  type ListEntry,
} from '../../../src/sources/index.ts'

const sha256 = 'ab'.repeat(32)

function metalink(inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<metalink xmlns="urn:ietf:params:xml:ns:metalink">\n${inner}\n</metalink>\n`
}

function parse(xml: string | Uint8Array, notice: (message: string) => void = () => {}): readonly ListEntry[] {
  return parseMetalink(typeof xml === 'string' ? Buffer.from(xml) : xml, { name: 'x.meta4', notice })
}

function brief(entries: readonly ListEntry[]): unknown[] {
  return entries.map((entry) =>
    isListFault(entry)
      ? `${entry.error.code} ${entry.error.message}`
      : { line: entry.line, places: entry.places.map(({ url, rank }) => `${rank} ${url}`), ...entry.options },
  )
}

const onlyUrl = '<url>http://a.example/f</url>'

describe('a good Metalink', () => {
  it('gives name, size, hashes and addresses by priority; passes over everything else', () => {
    const xml = metalink(`
      <generator>g/1</generator><published>2026-01-01T00:00:00Z</published>
      <file name="dir/one.iso" xmlns:o="urn:other">
        <identity>One</identity><size> 1048576 </size>
        <hash type="sha-256">${sha256.toUpperCase()}</hash>
        <hash type="md5">${'0'.repeat(32)}</hash>
        <hash type="sha-384">00</hash>
        <pieces length="524288" type="sha-1"><hash>${'1'.repeat(40)}</hash>\n<hash> ${'A'.repeat(40)} </hash></pieces>
        <pieces length="1" type="sha-384"><hash>00</hash></pieces>
        <signature mediatype="application/pgp-signature">-----BEGIN</signature>
        <o:url>http://other.example/no</o:url><o:size>7</o:size>
        <url location="de" priority="2">http://b.example/one.iso</url>
        <url>http://last.example/one.iso</url>
        <url location="us" priority="1">\n  https://a.example/one.iso?a=1&amp;b=2\n</url>
        <url priority="2"><![CDATA[http://c.example/one.iso?x=<&>]]></url>
        <metaurl mediatype="torrent" priority="1">http://t.example/one.torrent</metaurl>
      </file>
      <file name="two.txt">${onlyUrl}</file>`)
    expect(brief(parse(xml))).toEqual([
      {
        line: 5,
        out: 'dir/one.iso',
        pieces: { algorithm: 'sha-1', pieceBytes: 524_288, values: ['1'.repeat(40), 'a'.repeat(40)] },
        sizeBytes: 1_048_576,
        digests: [
          { algorithm: 'sha-256', value: sha256 },
          { algorithm: 'md5', value: '0'.repeat(32) },
        ],
        places: [
          '1 https://a.example/one.iso?a=1&b=2',
          '2 http://b.example/one.iso',
          '2 http://c.example/one.iso?x=<&>',
          '999999 http://last.example/one.iso',
        ],
      },
      { line: 23, out: 'two.txt', places: ['999999 http://a.example/f'] },
    ])
  })

  it('may have pieces in several ways, of which the strongest and shortest count', () => {
    const list = (type: string, length: number, count: number): string =>
      `<pieces type="${type}" length="${length}">${`<hash>${'0'.repeat(type === 'sha-1' ? 40 : 64)}</hash>`.repeat(count)}</pieces>`
    const lists = list('sha-1', 1, 10) + list('sha-256', 10, 1) + list('sha256', 4, 3)
    const [entry] = parse(metalink(`<file name="f">${lists}<size>10</size>${onlyUrl}</file>`))
    expect(brief(entry ? [entry] : [])).toMatchObject([
      {
        pieces: {
          algorithm: 'sha-256',
          pieceBytes: 4,
          values: ['0', '0', '0'].map((each) => each.repeat(64)),
        },
      },
    ])
  })

  it('may use a prefix, a mark of the encoding, and another encoding', () => {
    const body = `<m:metalink xmlns:m="urn:ietf:params:xml:ns:metalink"><m:file name="ä"><m:url>http://a.example/f</m:url></m:file></m:metalink>`
    const found = [{ line: 1, out: 'ä', places: ['999999 http://a.example/f'] }]
    expect(brief(parse(`\uFEFF${body}`))).toEqual(found)
    expect(brief(parse(Buffer.from(`\uFEFF${body}`, 'utf16le')))).toEqual(found)
    const latin1 = `<?xml version="1.0" encoding='ISO-8859-1'?>${body}`
    expect(brief(parse(Buffer.from(latin1, 'latin1')))).toEqual(found)
  })

  it('leaves out what it cannot use, and says so', () => {
    const told: string[] = []
    const xml = metalink(
      `<file name="f"><url priority="0">http://a.example/f</url>\n<url>ftp://a.example/f</url>\n<url>nonsense</url></file>`,
    )
    expect(brief(parse(xml, (message) => told.push(message)))).toEqual([
      { line: 3, out: 'f', places: ['999999 http://a.example/f'] },
    ])
    expect(told).toEqual([
      'x.meta4:3:16: the priority must be a number from 1 to 999999, not "0"',
      'x.meta4:4:1: "ftp://a.example/f" has a scheme that cannot be downloaded; the address is left out',
      'x.meta4:5:1: "nonsense" is not a URL; the address is left out',
    ])
  })

  it('does not tell more than a screen holds', () => {
    const told: string[] = []
    parse(metalink(`<file name="f">${'<url>ftp://x/f</url>'.repeat(500)}${onlyUrl}</file>`), (message) =>
      told.push(message),
    )
    expect(told).toHaveLength(20)
    expect(told.at(-1)).toContain('further ones are not told')
  })
})

describe('a wrong file harms no other', () => {
  const good = `<file name="good">${onlyUrl}</file>`
  const wrong: [string, string, string][] = [
    ['no name', `<file>${onlyUrl}</file>`, 'ERR_INPUT_INVALID x.meta4:4:1: a file without a name'],
    [
      'a name that climbs',
      `<file name="../../etc/passwd">${onlyUrl}</file>`,
      'ERR_PATH_UNSAFE x.meta4:4:1: the path "../../etc/passwd" is not usable: it has ..',
    ],
    [
      'an absolute name',
      `<file name="/etc/passwd">${onlyUrl}</file>`,
      'ERR_PATH_UNSAFE x.meta4:4:1: the path "/etc/passwd" is not usable: it is absolute',
    ],
    [
      'a short hash',
      `<file name="f">\n <hash type="sha-256">abc</hash>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:5:2: a sha-256 hash has 64 hexadecimal digits, not "abc"',
    ],
    [
      'a hash without a type',
      `<file name="f"><hash>abc</hash>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:4:16: a hash without a type',
    ],
    [
      'pieces without a type',
      `<file name="f">\n<pieces length="1"><hash>00</hash></pieces>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:5:1: the file "f" has pieces without a type',
    ],
    [
      'pieces without a length',
      `<file name="f"><pieces type="md5"/>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:4:16: the file "f" has pieces without a length',
    ],
    [
      'pieces of no length',
      `<file name="f"><pieces type="md5" length="0"/>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:4:16: the file "f" has pieces whose length must be a number of bytes from 1, not "0"',
    ],
    [
      'pieces with a wrong hash',
      `<file name="f"><pieces type="md5" length="1"><hash>${'0'.repeat(32)}</hash>\n <hash>xyz</hash></pieces>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:5:2: the file "f" has pieces whose hash 2 is wrong: a md5 hash has 32 hexadecimal digits, not "xyz"',
    ],
    [
      'pieces that are too few',
      `<file name="f"><pieces type="md5" length="4"><hash>${'0'.repeat(32)}</hash></pieces><size>9</size>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:4:16: the file "f" has pieces of 4 bytes, 3 for its 9 bytes, but 1 hash',
    ],
    [
      'two hashes',
      `<file name="f"><hash type="md5">${'0'.repeat(32)}</hash><hash type="md5">${'1'.repeat(32)}</hash>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:4:72: two md5 hashes that differ',
    ],
    [
      'a size that is none',
      `<file name="f"><size>-1</size>${onlyUrl}</file>`,
      'ERR_INPUT_INVALID x.meta4:4:16: the size must be a number of bytes, not "-1"',
    ],
    [
      'no address',
      `<file name="f"><metaurl mediatype="torrent">http://a.example/t</metaurl></file>`,
      'ERR_INPUT_INVALID x.meta4:4:1: the file "f" has no address (url)',
    ],
    [
      'no address that can be used',
      `<file name="f"><url>ftp://a.example/f</url></file>`,
      'ERR_INPUT_INVALID x.meta4:4:1: the file "f" has no address that can be used',
    ],
  ]
  it.each(wrong)('%s', (_title, xml, message) => {
    const found = brief(parse(metalink(`${good}\n${xml}\n${good}`)))
    expect(found).toHaveLength(3)
    expect(found[1]).toBe(message)
    expect(found[0]).toMatchObject({ out: 'good' })
    expect(found[2]).toMatchObject({ out: 'good' })
  })
})

describe('a document that is none', () => {
  const broken: [string, string, RegExp][] = [
    ['nothing', '', /x\.meta4:1:1: /],
    ['text', 'http://a.example/f\n', /x\.meta4:1:1: /],
    ['a page', '<!DOCTYPE html>\n<html><body>Sign in', /x\.meta4:1:1: this is an HTML page, not a Metalink/],
    ['other XML', '<feed xmlns="urn:x"/>', /x\.meta4:1:1: no Metalink: the document begins with <feed>/],
    [
      'version 3',
      '<metalink version="3.0" xmlns="http://www.metalinker.org/"><files/></metalink>',
      /version 3; version 4 \(RFC 5854\) is needed/,
    ],
    ['no files', metalink(''), /the Metalink lists no file/],
    [
      'entities',
      `<?xml version="1.0"?>\n<!DOCTYPE m [<!ENTITY a "aaaa">]>\n<metalink/>`,
      /x\.meta4:2:\d+: a document type \(DOCTYPE\) is not allowed/,
    ],
    ['deep', `${metalink('').split('\n')[1]}${'<a>'.repeat(100)}`, /nested deeper than 32/],
  ]
  it.each(broken)('%s', (_title, xml, message) => {
    const found = parse(xml)
    expect(found).toHaveLength(1)
    const [entry] = found
    if (!entry || !isListFault(entry)) throw new Error('a fault was expected')
    expect(entry.error.code).toBe('ERR_INPUT_INVALID')
    expect(entry.error.message).toMatch(message)
    expect(entry.error.context).toMatchObject({ file: 'x.meta4', line: expect.any(Number) as number })
  })

  it('keeps the files before the place where the XML breaks off', () => {
    const whole = metalink(`<file name="one">${onlyUrl}</file>\n<file name="two">${onlyUrl}</file>`)
    const found = brief(parse(whole.slice(0, whole.indexOf('two') + 12)))
    expect(found).toHaveLength(2)
    expect(found[0]).toMatchObject({ out: 'one' })
    expect(found[1]).toMatch(/^ERR_INPUT_INVALID x\.meta4:4:\d+: /)
    const entity = brief(parse(whole.replace('a.example/f</url></file>\n</', 'a&nope;</url></file>\n</')))
    expect(entity[1]).toMatch(/^ERR_INPUT_INVALID x\.meta4:4:\d+: undefined entity/)
  })

  it('is told where the bytes are not text', () => {
    expect(brief(parse(Buffer.from([60, 255, 254, 62])))[0]).toMatch(/not in the encoding that it claims/)
    expect(brief(parse(`<?xml version="1.0" encoding="klingon"?><metalink/>`))[0]).toMatch(/encoding/)
  })

  it('never throws and always names a line, whatever the bytes', () => {
    const whole = Buffer.from(metalink(`<file name="a"><size>3</size>${onlyUrl}</file>`))
    const damaged = fc
      .tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length))
      .map(([at, byte, cut]) => {
        const copy = Buffer.from(whole)
        copy[at] = byte
        return copy.subarray(0, cut)
      })
    fc.assert(
      fc.property(damaged, (bytes) => {
        const found = parse(bytes)
        expect(found.length).toBeGreaterThan(0)
        for (const entry of found) expect(entry.line).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })
})

describe('lists of files', () => {
  async function* pieces(...parts: string[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield await Promise.resolve(Buffer.from(part))
  }
  const read = async (from: AsyncIterable<Uint8Array>, name = 'standard input'): Promise<unknown[]> => {
    const found: ListEntry[] = []
    for await (const batch of readFileList(from, { name })) found.push(...batch)
    return brief(found)
  }

  it('may be lines or a Metalink, told by the first character', async () => {
    const xml = metalink(`<file name="f">${onlyUrl}</file>`)
    const file = [{ line: 3, out: 'f', places: ['999999 http://a.example/f'] }]
    expect(await read(pieces(...xml.split(/(?=.)/s)))).toEqual(file)
    expect(await read(pieces('\uFEFF', ' \n', xml.slice(xml.indexOf('<metalink'))))).toMatchObject([
      { out: 'f' },
    ])
    expect(await read(pieces('\n', '  \n', 'http://a.example/1\n', 'http://a.example/2'))).toEqual([
      { line: 3, places: ['undefined http://a.example/1'] },
      { line: 4, places: ['undefined http://a.example/2'] },
    ])
    expect(await read(pieces(''))).toEqual([])
  })

  it('that are called Metalinks are read as such', async () => {
    expect((await read(pieces('http://a.example/1\n'), 'x.meta4'))[0]).toMatch(/x\.meta4:1:1: /)
  })

  it('end where a Metalink is too large or cannot be read', async () => {
    const filler = ' '.repeat(1024 * 1024)
    const huge = pieces('<', ...Array.from({ length: 17 }, () => filler))
    await expect(read(huge)).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('<metalink'))
      throw new Error('EIO')
    }
    await expect(read(broken())).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
  })
})

it('is recognised by content type and name', () => {
  expect(isMetalink({ contentType: 'Application/Metalink4+XML; charset=utf-8' })).toBe(true)
  expect(isMetalink({ contentType: 'application/xml' })).toBe(false)
  expect(isMetalink({ name: 'https://a.example/x.meta4?y=1' })).toBe(true)
  expect(isMetalink({ name: 'https://a.example/?f=x.meta4' })).toBe(false)
  expect(isMetalink({ name: 'x.meta4.txt' })).toBe(false)
})
