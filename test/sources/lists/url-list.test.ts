import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isListFault, readUrlList, type ListEntry } from '../../../src/sources/index.ts'
import { isPlainUrl, urlFault } from '../../../src/sources/lists/url-check.ts'

async function* pieces(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(typeof part === 'string' ? Buffer.from(part) : part)
}

async function read(
  from: string | AsyncIterable<Uint8Array>,
  notice: (message: string) => void = () => {},
): Promise<ListEntry[]> {
  const out: ListEntry[] = []
  for await (const batch of readUrlList(from, { name: 'list', notice })) out.push(...batch)
  return out
}

const readText = (text: string, notice?: (message: string) => void) => read(pieces(text), notice)

async function* broken(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from('http://a.example/1\n'))
  throw new Error('EIO')
}

function brief(entries: readonly ListEntry[]): unknown[] {
  return entries.map((entry) =>
    isListFault(entry)
      ? `${entry.error.code} ${entry.error.message}`
      : { line: entry.line, urls: entry.places.map((place) => place.url), ...entry.options },
  )
}

describe('readUrlList', () => {
  it('reads one URL a line, with comments, blank lines, CRLF and a byte order mark', async () => {
    const text =
      '\uFEFFhttps://a.example/1\r\n# note\r\n\r\n  \t \nhttps://a.example/2 # why\n  # x\nhttp://b.example/3#top'
    expect(brief(await readText(text))).toEqual([
      { line: 1, urls: ['https://a.example/1'] },
      { line: 5, urls: ['https://a.example/2'] },
      { line: 7, urls: ['http://b.example/3#top'] },
    ])
  })

  it('takes URLs separated by TAB as mirrors of one file', async () => {
    expect(brief(await readText('http://a.example/f\thttp://b.example/f\t\n'))).toEqual([
      { line: 1, urls: ['http://a.example/f', 'http://b.example/f'] },
    ])
  })

  it('follows the options of an aria2 input file', async () => {
    const sha1 = 'a'.repeat(40)
    const text = [
      'http://a.example/f',
      '  out=folder/name=1.bin',
      '\tdir=some dir',
      `  checksum=sha-1=${sha1.toUpperCase()}`,
      '  header=Accept-Language: de',
      ' header=X-A:1',
      '  referer=http://r.example/',
      '  user-agent=me/1',
      '  split=4',
      '  # a comment between',
      '  max-connection-per-server=2',
      '  max-download-limit=500K',
      'http://a.example/g',
    ].join('\n')
    expect(brief(await readText(text))).toEqual([
      {
        line: 1,
        urls: ['http://a.example/f'],
        out: 'folder/name=1.bin',
        dir: 'some dir',
        digests: [{ algorithm: 'sha-1', value: sha1 }],
        headers: { 'accept-language': 'de', 'x-a': '1', referer: 'http://r.example/', 'user-agent': 'me/1' },
        split: 4,
        maxConnectionsPerServer: 2,
        limitRateBps: 512_000,
      },
      { line: 13, urls: ['http://a.example/g'] },
    ])
  })

  it('names an unknown option once and goes on', async () => {
    const notices: string[] = []
    const text = 'http://a.example/1\n  pause=true\nhttp://a.example/2\n  pause=true\n  out=x\n'
    expect(brief(await readText(text, (message) => notices.push(message)))).toEqual([
      { line: 1, urls: ['http://a.example/1'] },
      { line: 3, urls: ['http://a.example/2'], out: 'x' },
    ])
    expect(notices).toEqual(['list:2: the option pause is not known here and has no effect'])
  })

  it.each([
    ['example.org/file', 'ERR_URL_INVALID list:1:1: "example.org/file" is not a URL'],
    ['http://', 'ERR_URL_INVALID list:1:1: "http://" is not a URL'],
    ['   http://a b/', 'ERR_URL_INVALID list:1:4: "http://a b/" is not a URL'],
    ['localhost:8080/x', 'ERR_URL_INVALID list:1:1: "localhost:8080/x" is not a URL'],
    [
      'ftp://a.example/x',
      'ERR_URL_SCHEME list:1:1: "ftp://a.example/x" has a scheme that cannot be downloaded',
    ],
    ['  out=x', 'ERR_INPUT_INVALID list:1:3: the option out has no URL above it'],
    ['  nonsense', 'ERR_INPUT_INVALID list:1:3: an indented line must be an option, as name=value'],
    ['http://1.2.3.999/x', 'ERR_URL_INVALID list:1:1: "http://1.2.3.999/x" is not a URL'],
  ])('reports %j without stopping', async (line, expected) => {
    const entries = await readText(`${line}\nhttp://a.example/next\n`)
    expect(brief(entries)).toEqual([expected, { line: 2, urls: ['http://a.example/next'] }])
    const [fault] = entries
    expect(fault !== undefined && isListFault(fault) && fault.error.context).toMatchObject({
      file: 'list',
      line: 1,
    })
    expect(fault).toMatchObject({ text: line })
  })

  it('faults a file whose option cannot be followed, and the options after it', async () => {
    const text =
      'http://a.example/1\n  checksum=sha-1=12\n  out=gone\nhttp://a.example/2\n  split=0\nhttp://a.example/3\n  checksum=sha-224=00'
    expect(brief(await readText(text))).toEqual([
      'ERR_INPUT_INVALID list:2:3: a sha-1 checksum has 40 hexadecimal digits; "http://a.example/1" is left out',
      'ERR_INPUT_INVALID list:5:3: split must be a number from 1, not "0"; "http://a.example/2" is left out',
      'ERR_INPUT_INVALID list:7:3: checksum must be TYPE=HEX with one of sha-256, sha-512, sha-1, md5, crc32c, not "sha-224=00"; "http://a.example/3" is left out',
    ])
  })

  it('faults a file with a header that would make another of it, or that cannot be sent', async () => {
    const options = ['Range: bytes=0-9', 'Content-Length: 3', 'X: \u0001']
    const text = options.map((each) => `http://a.example/1\n  header=${each}\n`).join('')
    expect(brief(await readText(text))).toEqual([
      expect.stringContaining('range is set by trawl itself'),
      expect.stringContaining('content-length belongs to the connection'),
      expect.stringContaining('x has a control character'),
    ])
  })

  it('keeps the good mirrors of a line and names the bad ones', async () => {
    const notices: string[] = []
    const entries = await readText('http://a.example/f\tftp://b.example/f\n', (m) => notices.push(m))
    expect(brief(entries)).toEqual([{ line: 1, urls: ['http://a.example/f'] }])
    expect(notices).toEqual([
      'list:1:20: a mirror is left out: "ftp://b.example/f" has a scheme that cannot be downloaded',
    ])
  })

  it('faults lines that are not UTF-8 or far too long, in pieces too', async () => {
    const long = `http://a.example/${'x'.repeat(70_000)}`
    const bytes = Buffer.concat([
      Buffer.from('http://a.example/'),
      Buffer.from([0xe9]),
      Buffer.from(`\n${long}\nhttp://a.example/é\n`),
    ])
    const expected = [
      'ERR_INPUT_INVALID list:1:1: the line is not UTF-8',
      'ERR_INPUT_INVALID list:2:1: the line is longer than 64 KiB',
      { line: 3, urls: ['http://a.example/é'] },
    ]
    expect(brief(await read(pieces(bytes)))).toEqual(expected)
    const split = [0, 7, 30, 30_000, 69_000, 70_020, bytes.length]
    const parts = split.slice(1).map((end, i) => bytes.subarray(split[i], end))
    expect(brief(await read(pieces(...parts)))).toEqual(expected)
  })

  it.each([
    ['UTF-16 with a mark', Buffer.from('\uFEFFhttp://a.example/', 'utf16le'), /UTF-16/],
    ['UTF-16 without a mark', Buffer.from('http://a.example/', 'utf16le'), /UTF-16/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), /gzip/],
  ])('refuses %s', async (_name, bytes, message) => {
    for (const parts of [[bytes], [bytes.subarray(0, 1), bytes.subarray(1)]]) {
      await expect(read(pieces(...parts))).rejects.toMatchObject({
        code: 'ERR_INPUT_UNREADABLE',
        message: expect.stringMatching(message),
      })
    }
  })

  it('gives the same entries wherever the bytes are cut', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        '# c',
        'http://a.example/é',
        'http://a.example/x\thttp://b.example/x',
        '  out=ü',
        '  bad',
        'nope',
        '\t',
        'https://a.example/p?q=1 # c',
      ),
      fc.webUrl(),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(200), { maxLength: 6 }),
        async (lines, end, cuts) => {
          const bytes = Buffer.from(lines.join(end))
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
          const parts = at.slice(1).map((stop, i) => bytes.subarray(at[i], stop))
          expect(brief(await read(pieces(...parts)))).toEqual(brief(await read(pieces(bytes))))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('stops reading the stream when the reader stops, and holds nothing but the last entry back', async () => {
    let given = 0
    let closed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(Buffer.from(`http://a.example/${given++}\n`))
      } finally {
        closed = true
      }
    }
    const seen: ListEntry[] = []
    for await (const batch of readUrlList(endless())) {
      seen.push(...batch)
      if (seen.length >= 3) break
    }
    expect(brief(seen)).toEqual([0, 1, 2].map((i) => ({ line: i + 1, urls: [`http://a.example/${i}`] })))
    expect(given).toBe(4)
    expect(closed).toBe(true)
  })

  it('lets the last file of a stream go when nothing follows for a while', async () => {
    const seen: string[] = []
    let came = Promise.withResolvers<void>()
    async function* oneAtATime(): AsyncGenerator<Uint8Array> {
      for (const name of ['1', '2']) {
        yield Buffer.from(`http://a.example/${name}\n`)
        // The next line is written when the file of this one has been seen.
        await came.promise
        came = Promise.withResolvers()
      }
      yield Buffer.from('  out=late.bin\n  dir=late\nhttp://a.example/3\n  out=c.bin\n')
    }
    for await (const batch of readUrlList(oneAtATime(), { name: 'list' })) {
      seen.push(JSON.stringify(brief(batch)))
      came.resolve()
    }
    expect(seen.slice(0, 2)).toEqual([
      '[{"line":1,"urls":["http://a.example/1"]}]',
      '[{"line":2,"urls":["http://a.example/2"]}]',
    ])
    expect(seen.slice(2).join('')).toContain('the option out came when its URL was under way already')
    expect(seen.slice(2).join('')).toContain('"urls":["http://a.example/3"],"out":"c.bin"')
  })

  it('can be left while a stream gives nothing', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('http://a.example/1\n')
      await new Promise(() => {})
    }
    for await (const batch of readUrlList(silent(), { name: 'list' })) {
      expect(batch).toHaveLength(1)
      break
    }
  })

  it('stops with ERR_CANCELLED when the signal fires', async () => {
    const abort = new AbortController()
    abort.abort()
    const list = readUrlList(pieces('http://a.example/1\n'), { signal: abort.signal })
    await expect(list.next()).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })

  it('gives a failure of the stream as ERR_INPUT_UNREADABLE', async () => {
    await expect(read(broken())).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
  })
})

describe('readUrlList on files', () => {
  let dir = ''
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'trawl-list-'))))
  afterAll(() => rm(dir, { recursive: true, force: true }))

  it('reads every line of a long file once, in order, with bounded batches', async () => {
    const path = join(dir, 'long.txt')
    const urls = Array.from(
      { length: 20_000 },
      (_, i) => `https://cdn.example.org/folder/file-${i}.bin?x=${i}`,
    )
    await writeFile(path, urls.join('\n'))
    let at = 0
    let batches = 0
    for await (const batch of readUrlList(path)) {
      batches++
      expect(batch.length).toBeGreaterThan(0)
      for (const entry of batch) {
        if (isListFault(entry)) throw entry.error
        expect(entry.places[0]?.url).toBe(urls[at++])
        expect(entry.line).toBe(at)
      }
    }
    expect(at).toBe(urls.length)
    expect(batches).toBeGreaterThan(5)
  })

  it('names a file that is not there', async () => {
    const path = join(dir, 'missing.txt')
    await expect(read(path)).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
      message: expect.stringContaining('list cannot be read'),
    })
    await expect(readUrlList(path).next()).rejects.toMatchObject({
      message: expect.stringContaining(path),
    })
  })
})

describe('isPlainUrl', () => {
  it('never passes what URL refuses or reads as another host', () => {
    const host = fc.stringMatching(/^[a-z0-9._-]{1,20}$/)
    const rest = fc.stringMatching(/^(:\d{1,6})?([/?#][!-~]{0,20})?$/)
    fc.assert(
      fc.property(host, rest, (host, rest) => {
        const url = `http://${host}${rest}`
        if (!isPlainUrl(url)) return
        expect(URL.canParse(url)).toBe(true)
        expect(new URL(url).hostname).toBe(host)
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    'http://a.example',
    'HTTPS://a.example/',
    'http://127.0.0.1:8080/x?y#z',
    'http://localhost/[1-2]',
  ])('passes %s', (url) => expect(isPlainUrl(url)).toBe(true))

  it.each([
    ['http://ü.example/ä b', undefined],
    ['http://[::1]:80/', undefined],
    ['http://me:pw@a.example/', undefined],
    ['http://a.example:99999/', 'invalid'],
    ['http:a.example', 'invalid'],
    ['magnet:?xt=1', 'scheme'],
    ['data:image/png;base64,AA', 'scheme'],
    ['C:\\files\\x', 'scheme'],
    ['//a.example/x', 'invalid'],
  ] as const)('judges %s', (url, expected) => expect(urlFault(url)).toBe(expected))
})
