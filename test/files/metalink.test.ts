import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/index.ts'
import type { GetInputs } from '../../src/files/index.ts'
import { createTrawl, type GetJobOptions, type Trawl } from '../../src/session/index.ts'
import {
  body,
  bodyFrom,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { runCli } from '../cli/run-cli.ts'
import { startNginx } from '../nginx.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
let trawl: Trawl
beforeAll(async () => {
  origin = await createFaultOrigin()
  trawl = await createTrawl({ retries: 1, retryDelayMs: 1 })
})
afterAll(async () => {
  await trawl.close()
  await origin.close()
})
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
})

const digestOf = (path: string): string => body(path, 1000).digest()

function fileXml(name: string, urls: readonly string[], extra = ''): string {
  const addresses = urls.map((url, i) => `<url priority="${i + 1}">${url}</url>`)
  return `<file name="${name}">${extra}${addresses.join('')}</file>`
}

function metalink(...files: readonly string[]): string {
  return `<?xml version="1.0"?>\n<metalink xmlns="urn:ietf:params:xml:ns:metalink">\n${files.join('\n')}\n</metalink>`
}

function serve(path: string, xml: string): string {
  origin.route(path, respond.status(200, { 'Content-Type': 'application/metalink4+xml' }, xml))
  return origin.url + path
}

interface Ran {
  readonly dir: string
  readonly outcomes: readonly Outcome[]
  readonly notices: readonly string[]
}

async function get(inputs: GetInputs, options: GetJobOptions = {}): Promise<Ran> {
  const dir = newFolder()
  const outcomes: Outcome[] = []
  const notices: string[] = []
  const job = trawl.get(inputs, { ...options, dir, hooks: { afterItem: (each) => void outcomes.push(each) } })
  job.onEvent((event) => event.type === 'job.notice' && notices.push(event.message))
  await job.result
  return { dir, outcomes: outcomes.toSorted((a, b) => a.ordinal - b.ordinal), notices }
}

const brief = (ran: Ran): string[] => ran.outcomes.map((each) => each.path ?? each.error?.code ?? each.status)
const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')
const sha = (path: string): string => `<hash type="sha-256">${digestOf(path)}</hash>`

describe('the files of a Metalink', () => {
  test('from a list on disk: names, digests, mirrors by priority', async () => {
    const list = join(newFolder(), 'files.meta4')
    const dead = 'http://127.0.0.1:1/a'
    writeFileSync(
      list,
      metalink(
        fileXml('sub/one.bin', [dead, `${origin.url}/a`], `<size>1000</size>${sha('/a')}`),
        fileXml('two.bin', [`${origin.url}/b`]),
      ),
    )
    const ran = await get([], { inputFile: [list] })
    expect(ran.outcomes).toMatchObject([
      { status: 'ok', path: 'sub/one.bin', digest: { algorithm: 'sha-256', value: digestOf('/a') } },
      { status: 'ok', path: 'two.bin' },
    ])
    expect(readFileSync(join(ran.dir, 'sub/one.bin')).equals(body('/a', 1000).bytes())).toBe(true)
  })

  test('from an address, among other inputs and in lists, each once', async () => {
    const url = serve('/files.meta4', metalink(fileXml('one.bin', [`${origin.url}/a`])))
    const ran = await get([`${origin.url}/x.bin`, url, `${origin.url}/y.bin`])
    expect(brief(ran).toSorted()).toEqual(['one.bin', 'x.bin', 'y.bin'])
    expect(origin.requests.filter((each) => each.path === '/files.meta4')).toHaveLength(1)
    const list = join(newFolder(), 'list.txt')
    writeFileSync(list, `${url}\n${origin.url}/x.bin\n`)
    expect(brief(await get([], { inputFile: [list] })).toSorted()).toEqual(['one.bin', 'x.bin'])
  })

  test('the document is asked for with the headers of the job, and again when that may help', async () => {
    const xml = metalink(fileXml('one.bin', [`${origin.url}/a`]))
    origin.route('/files.meta4', faults.inTurn(respond.status(503), respond.status(200, {}, xml)))
    const ran = await get([`${origin.url}/files.meta4`], { headers: { 'X-Key': 'k' } })
    expect(brief(ran)).toEqual(['one.bin'])
    expect(origin.requests.map((each) => each.headers['x-key'])).toEqual(['k', 'k', 'k'])
  })

  test('is downloaded as it is where it is not to be followed', async () => {
    const xml = metalink(fileXml('one.bin', [`${origin.url}/a`]))
    const ran = await get([serve('/files.meta4', xml)], { followMetalink: false })
    expect(brief(ran)).toEqual(['files.meta4'])
    expect(readFileSync(join(ran.dir, 'files.meta4'), 'utf8')).toBe(xml)
  })

  test('name and checksum given with it are those of its one file', async () => {
    const one = serve('/one.meta4', metalink(fileXml('one.bin', [`${origin.url}/a`])))
    const checksum = `sha-256=${digestOf('/a')}`
    expect((await get([one], { out: 'mine.bin', checksum })).outcomes).toMatchObject([
      { status: 'ok', path: 'mine.bin', digest: { value: digestOf('/a') } },
    ])
    const wrong = await get([one], { checksum: `sha-256=${'0'.repeat(64)}` })
    expect(wrong.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_DIGEST_MISMATCH' } }])
    const two = serve(
      '/two.meta4',
      metalink(fileXml('a', [`${origin.url}/a`]), fileXml('b', [`${origin.url}/b`])),
    )
    expect((await get([two], { out: 'mine.bin' })).outcomes).toMatchObject([
      { status: 'failed', error: { code: 'ERR_USAGE', message: 'the Metalink lists 2 files, not one' } },
    ])
  })

  test('have pieces, of which a wrong one comes from the other mirror', async () => {
    const good = body('/large', 2_000_000)
    const bytes = good.bytes()
    bytes[1_500_000] = (bytes[1_500_000] ?? 0) ^ 1
    origin.route('/bad.bin', respond.withRange(bodyFrom(bytes)))
    origin.route('/good.bin', respond.withRange(good))
    const hashes = [0, 1].map((i) => {
      const part = good.read(i * 1_000_000, (i + 1) * 1_000_000)
      return `<hash>${createHash('sha1').update(part).digest('hex')}</hash>`
    })
    const pieces = `<pieces length="1000000" type="sha-1">${hashes.join('')}</pieces>`
    const both = [`${origin.url}/bad.bin`, `${origin.url}/good.bin`]
    const short = pieces.replace('</pieces>', '<hash>00</hash></pieces>')
    const xml = metalink(
      fileXml('both.bin', both, pieces),
      fileXml('bad.bin', both.slice(0, 1), pieces),
      fileXml('list.bin', both, short),
    )
    const ran = await get([serve('/pieces.meta4', xml)])
    expect(readFileSync(join(ran.dir, 'both.bin')).equals(good.bytes())).toBe(true)
    expect(ran.outcomes.map((each) => each.error?.message ?? each.status)).toMatchObject([
      'ok',
      expect.stringContaining('piece 2 of 2 (bytes 1000000-1999999) is wrong'),
      expect.stringContaining('pieces.meta4:5:167: the file "list.bin" has pieces whose hash 3 is wrong'),
    ])
    expect(names(ran.dir)).toEqual(['both.bin'])
  })

  test('are not fetched again by a second run', async () => {
    const url = serve('/files.meta4', metalink(fileXml('one.bin', [`${origin.url}/a`])))
    const dir = newFolder()
    for (const status of ['ok', 'skipped']) {
      const outcomes: Outcome[] = []
      await trawl.get([url], { dir, hooks: { afterItem: (each) => void outcomes.push(each) } }).result
      expect(outcomes).toMatchObject([{ status }])
    }
  })

  test('begin while the input waits for its next address', async () => {
    const url = serve('/files.meta4', metalink(fileXml('one.bin', [`${origin.url}/a`])))
    const begun = Promise.withResolvers<void>()
    origin.route('/a', (request) => {
      begun.resolve()
      return respond.withRange(body(request.path, 1000))(request)
    })
    async function* inputs(): AsyncGenerator<string, void, undefined> {
      yield url
      await begun.promise
      yield `${origin.url}/x.bin`
    }
    expect(brief(await get(inputs())).toSorted()).toEqual(['one.bin', 'x.bin'])
  })

  test('come also where a list beside them cannot be read', async () => {
    const xml = metalink(fileXml('one.bin', [`${origin.url}/a`]))
    origin.route('/files.meta4', withFaults(respond.status(200, {}, xml), faults.latency(100)))
    const dir = newFolder()
    const job = trawl.get([`${origin.url}/files.meta4`], { dir, inputFile: [join(dir, 'missing.txt')] })
    expect((await job.result).error?.code).toBe('ERR_INPUT_UNREADABLE')
    expect(names(dir)).toEqual(['one.bin'])
  })

  test('a Metalink within a Metalink is a file', async () => {
    const inner = serve('/inner.meta4', metalink(fileXml('x', [`${origin.url}/a`])))
    const ran = await get([serve('/outer.meta4', metalink(fileXml('inner.meta4', [inner])))])
    expect(brief(ran)).toEqual(['inner.meta4'])
  })
})

describe('a Metalink that only its content type tells', () => {
  test('is followed; it is an item of its own, skipped', async () => {
    const url = serve(
      '/latest',
      metalink(fileXml('one.bin', [`${origin.url}/a`], sha('/a')), fileXml('two.bin', [`${origin.url}/b`])),
    )
    const ran = await get([`${origin.url}/x.bin`, url])
    expect(ran.outcomes.map((each) => each.skipReason ?? each.path)).toEqual([
      'x.bin',
      'followed',
      'one.bin',
      'two.bin',
    ])
    expect(names(ran.dir).toSorted()).toEqual(['one.bin', 'two.bin', 'x.bin'])
  })

  test('is not followed twice: one that lists itself is a file', async () => {
    const url = serve('/self', metalink(fileXml('self.xml', [`${origin.url}/self`])))
    const ran = await get([url])
    expect(ran.outcomes.map((each) => each.skipReason ?? each.path)).toEqual(['followed', 'self.xml'])
  })

  test('is downloaded where it is not to be followed, and fails alone where it is broken', async () => {
    const url = serve('/latest', '<metalink')
    expect(brief(await get([url], { followMetalink: false }))).toEqual(['latest'])
    const ran = await get([url, `${origin.url}/x.bin`])
    const ends = ran.outcomes.map((each) => each.skipReason ?? each.path ?? each.error?.code ?? '')
    expect(ends.toSorted()).toEqual(['ERR_INPUT_INVALID', 'followed', 'x.bin'])
  })
})

describe('what is wrong harms nothing else', () => {
  test('a wrong file of a Metalink', async () => {
    const xml = metalink(
      fileXml('../up', [`${origin.url}/a`]),
      fileXml('bad.bin', [`${origin.url}/a`], '<hash type="sha-1">12</hash>'),
      fileXml('short.bin', [`${origin.url}/a`], '<size>999</size>'),
      fileXml('other.bin', [`${origin.url}/a`], `<hash type="sha-256">${'0'.repeat(64)}</hash>`),
      fileXml('good.bin', [`${origin.url}/b`, 'gopher://x/b']),
    )
    const url = serve('/files.meta4', xml)
    const ran = await get([url])
    expect(brief(ran).slice(0, 2)).toEqual(['ERR_PATH_UNSAFE', 'ERR_INPUT_INVALID'])
    expect(ran.outcomes[1]?.error?.message).toBe(
      `${url}:4:22: a sha-1 hash has 40 hexadecimal digits, not "12"`,
    )
    expect(ran.outcomes.slice(2)).toMatchObject([
      { status: 'failed', error: { code: 'ERR_LENGTH_MISMATCH' } },
      { status: 'failed', error: { code: 'ERR_DIGEST_MISMATCH' } },
      { status: 'ok', path: 'good.bin' },
    ])
    expect(names(ran.dir)).toEqual(['good.bin'])
    expect(ran.notices.join()).toContain('"gopher://x/b" has a scheme that cannot be downloaded')
  })

  test.each([
    ['404', respond.status(404), 'ERR_HTTP_NOT_FOUND'],
    ['403', respond.status(403), 'ERR_HTTP_AUTH'],
    ['a log-in page', respond.html(), 'ERR_INPUT_INVALID'],
    ['a broken connection', respond.hangUp('rst'), 'ERR_NET_RESET'],
    ['broken XML', respond.status(200, {}, '<metalink'), 'ERR_INPUT_INVALID'],
  ])('a document that answers with %s', async (_title, behaviour, code) => {
    origin.route('/files.meta4', behaviour)
    const ran = await get([`${origin.url}/files.meta4`, `${origin.url}/x.bin`])
    expect(brief(ran).toSorted()).toEqual([code, 'x.bin'].toSorted())
    const failed = ran.outcomes.find((each) => each.status === 'failed')
    expect(failed?.input).toBe(`${origin.url}/files.meta4`)
  })
})

describeWith(['nginx'], 'with nginx and the command line', () => {
  test('a Metalink of the web and one on disk', async () => {
    await using nginx = await startNginx(['', ''])
    const bytes = body('large', 6_000_000).bytes()
    writeFileSync(join(nginx.www, 'large.bin'), bytes)
    const sha512 = createHash('sha512').update(bytes).digest('hex')
    const urls = nginx.urls.map((url) => `${url}/large.bin`)
    const xml = metalink(
      fileXml(
        'd/one.bin',
        [`${nginx.urls[0]}/missing.bin`, ...urls],
        `<size>6000000</size><hash type="sha-512">${sha512}</hash>`,
      ),
    )
    writeFileSync(join(nginx.www, 'files.meta4'), xml)
    for (const args of [
      [`${nginx.urls[1]}/files.meta4`],
      ['-i', join(nginx.www, 'files.meta4'), '-x', '4'],
    ]) {
      const dir = newFolder()
      const end = await runCli(['get', ...args, '-d', dir])
      expect([end.code, end.signal]).toEqual([0, null])
      expect(readFileSync(join(dir, 'd/one.bin')).equals(bytes)).toBe(true)
    }
    const piped = await runCli(['get', '-i', '-', '--dry-run'], { stdin: xml })
    expect(piped.stdout.toString()).toContain('/missing.bin -> d/one.bin')
    const planned = await runCli(['get', `${nginx.urls[0]}/files.meta4`, '--dry-run'])
    expect(planned.stdout.toString()).toContain('/missing.bin -> d/one.bin')
    const broken = await runCli(['get', '-i', '-', '-d', newFolder()], { stdin: '<metalink>' })
    expect(broken.code).toBe(1)
    expect(broken.stderr).toMatch(/standard input:1:\d+: /)
  }, 90_000)
})
