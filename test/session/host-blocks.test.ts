import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { getGroups, hostOptions, matchesHost, resolveConfig } from '../../src/config/index.ts'
import { hostPatterns } from '../../src/session/host-blocks.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { runMain, type MainEnd } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let one: FaultOrigin
let two: FaultOrigin
beforeAll(async () => {
  one = await createFaultOrigin()
  two = await createFaultOrigin()
})
afterAll(async () => {
  await one.close()
  await two.close()
})
beforeEach(() => {
  for (const origin of [one, two]) {
    origin.reset()
    origin.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
  }
})

const host = (origin: FaultOrigin): string => new URL(origin.url).host

/** Runs `trawl get` with a configuration file whose block for the second origin is given. */
async function get(block: string, urls: readonly string[], flags: readonly string[] = []): Promise<MainEnd> {
  const folder = newFolder()
  const file = join(folder, 'options.yaml')
  writeFileSync(file, block)
  return runMain(['get', ...urls, '-d', join(folder, 'out'), '--option', file, ...flags])
}

const both = (path = 'a.bin'): string[] => [`${one.url}/1-${path}`, `${two.url}/2-${path}`]

describe('a block for a host', () => {
  test('sets, replaces and takes away headers; what a list says of a file wins', async () => {
    const list = join(newFolder(), 'list.txt')
    writeFileSync(list, `${two.url}/listed.bin\n  header=x-all: listed\n`)
    const file = `headers: {X-All: all, X-Gone: there}
referer: http://everywhere/
userAgent: everybody
hosts:
  "${host(two)}": {headers: {X-All: two, X-Gone: '', X-Two: only}, referer: 'http://two/', userAgent: two}
`
    const { code } = await get(file, both(), ['-i', list])
    expect(code).toBe(0)
    expect(one.requests[0]?.headers).toMatchObject({
      'x-all': 'all',
      'x-gone': 'there',
      referer: 'http://everywhere/',
      'user-agent': 'everybody',
    })
    const sent = two.requests.find((each) => each.path === '/2-a.bin')?.headers
    expect(sent).toMatchObject({
      'x-all': 'two',
      'x-two': 'only',
      referer: 'http://two/',
      'user-agent': 'two',
    })
    expect(sent).not.toHaveProperty('x-gone')
    expect(one.requests[0]?.headers).not.toHaveProperty('x-two')
    expect(two.requests.find((each) => each.path === '/listed.bin')?.headers).toMatchObject({
      'x-all': 'listed',
    })
  })

  test('holds for its hop of a redirect alone: passwords and tokens go nowhere else', async () => {
    one.route('/from-one', respond.redirect(`${two.url}/there.bin`))
    two.route('/from-two', respond.redirect(`${one.url}/there.bin`))
    const file = `hosts: {"${host(two)}": {bearerToken: secret, userAgent: two}}`
    const { code } = await get(file, [`${one.url}/from-one`, `${two.url}/from-two`])
    expect(code).toBe(0)
    for (const { headers } of one.requests) {
      expect(headers).not.toHaveProperty('authorization')
      expect(headers['user-agent']).not.toBe('two')
    }
    expect(two.requests).toHaveLength(2)
    for (const { headers } of two.requests) {
      expect(headers).toMatchObject({ authorization: 'Bearer secret', 'user-agent': 'two' })
    }
  })

  test('a name and a password answer that host', async () => {
    const server = createServer((request, response) => {
      const isKnown = request.headers.authorization === `Basic ${btoa('me:pass')}`
      response.writeHead(isKnown ? 200 : 401, isKnown ? {} : { 'www-authenticate': 'Basic realm="x"' })
      response.end('bytes')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const right = await get(`hosts: {"${at}": {user: 'me:pass'}}`, [`http://${at}/a.bin`])
    const wrong = await get(`hosts: {"${host(two)}": {user: 'me:pass'}}`, [`http://${at}/a.bin`])
    expect([right.code, wrong.code]).toEqual([0, 1])
    server.close()
  })

  test('sends through a proxy of its own', async () => {
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.end('from the proxy')
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as AddressInfo
    const { code } = await get(`hosts: {"${host(two)}": {proxy: 'http://127.0.0.1:${port}'}}`, both())
    expect(code).toBe(0)
    expect(one.requests).toHaveLength(1)
    expect(two.requests).toHaveLength(0)
    expect(asked).toEqual([`${two.url}/2-a.bin`])
    proxy.close()
  })

  test('follows redirects only as far as it says', async () => {
    for (const origin of [one, two]) origin.route('/r', respond.redirect('/there.bin'))
    const { code } = await get(`hosts: {"${host(two)}": {maxRedirects: 0}}`, [`${one.url}/r`, `${two.url}/r`])
    expect(code).toBe(1)
    expect(one.requests.map((each) => each.path)).toEqual(['/r', '/there.bin'])
    expect(two.requests.map((each) => each.path)).toEqual(['/r'])
  })

  test('waits and tries again as often as it says', async () => {
    for (const origin of [one, two]) origin.route('/*', respond.status(500))
    const file = `retries: 1
retryDelay: 1ms
hosts: {"${host(two)}": {retries: 3}}`
    await get(file, both())
    expect([one.requests.length, two.requests.length]).toEqual([2, 4])
  })

  test('has time limits of its own', async () => {
    for (const origin of [one, two]) {
      origin.route('/*', withFaults(respond.whole(body('x', 10)), faults.latency(2500)))
    }
    const file = `retries: 0
hosts: {"${host(two)}": {timeout: 300ms}}`
    const { code, stderr } = await get(file, both())
    expect(code).toBe(1)
    expect(stderr).toContain('2-a.bin')
    expect(stderr).not.toContain('1-a.bin')
  })

  test('takes sizes and pages of its own', async () => {
    two.route('/page.zip', respond.html())
    one.route('/page.zip', respond.html())
    const file = `maxSize: 10KiB
hosts: {"${host(two)}": {maxSize: 500, acceptHtml: true}}`
    const { stderr } = await get(file, [...both(), `${one.url}/page.zip`, `${two.url}/page.zip`])
    // 2-a.bin is larger than its host may give: skipped, which is no failure.
    expect(stderr).toContain('2 ok, 1 skipped, 1 failed of 4')
    expect(stderr).not.toContain('1-a.bin')
    expect(stderr).toContain(`${one.url}/page.zip: the server sent an HTML page`)
    expect(stderr).not.toContain(`${two.url}/page.zip`)
  })

  test('has connections of its own: at once, and for each file', async () => {
    const size = 6 * 1024 * 1024
    for (const origin of [one, two]) {
      origin.route('/large', withFaults(respond.withRange(body('l', size)), faults.rate(4 * 1024 * 1024)))
      origin.route('/s/*', withFaults(respond.whole(body('s', 100)), faults.latency(5)))
    }
    const small = (origin: FaultOrigin): string => `${origin.url}/s/[1-40]`
    const file = `maxPerHost: 4
split: 1
hosts: {"${host(two)}": {maxPerHost: 2, split: 2}}`
    expect((await get(file, [small(one), small(two)])).code).toBe(0)
    expect([one.maxActive, two.maxActive]).toEqual([4, 2])
    for (const origin of [one, two]) origin.reset()
    expect((await get(file, [`${one.url}/large`, `${two.url}/large`])).code).toBe(0)
    expect([one.maxActive, two.maxActive]).toEqual([1, 2])
  })

  test('has rates of its own: no bytes a second for one, all for the other', async () => {
    for (const origin of [one, two]) origin.route('/*', respond.withRange(body('r', 3 * 1024 * 1024)))
    const file = `limitRatePerItem: 1
hosts: {"${host(two)}": {limitRatePerItem: 0}}`
    expect((await get(file, [`${two.url}/a.bin`])).code).toBe(0)
  })

  test('gives way to flags', async () => {
    await get(`hosts: {"${host(two)}": {userAgent: two}}`, both(), ['--user-agent', 'flag'])
    expect(two.requests[0]?.headers['user-agent']).toBe('flag')
  })
})

describe('patterns of hosts', () => {
  const name = fc.constantFrom('a.org', 'b.a.org', '*.a.org', '*.b.a.org', '*', '127.0.0.1')
  const pattern = fc.tuple(name, fc.constantFrom('', ':80', ':8080')).map(([host, port]) => host + port)
  const host = fc
    .tuple(
      fc.constantFrom('a.org', 'b.a.org', 'c.b.a.org', 'x.a.org', 'z.net', '127.0.0.1'),
      fc.constantFrom('', ':80', ':8080', ':1'),
    )
    .map(([each, port]) => each + port)

  test('the first that matches stands for all options of the host', () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 6 }), host, (patterns, asked) => {
        const config = resolveConfig({
          groups: getGroups,
          layers: {
            hosts: Object.fromEntries(
              patterns.map((each, n) => [each, { headers: { [`x-${n}`]: each }, userAgent: each }]),
            ),
          },
        })
        const found = hostPatterns(config).find((each) => matchesHost(each.pattern, asked))
        const wanted = hostOptions(config, asked)
        expect(found === undefined ? config.values : hostOptions(config, found.example)).toEqual(wanted)
      }),
      { numRuns: 500 },
    )
  })
})

describe('credentials for all hosts', () => {
  test('a token goes to the hosts that are asked for, and not to where they redirect', async () => {
    one.route('/from-one', respond.redirect(`${two.url}/there.bin`))
    one.route('/at-home', respond.redirect('/here.bin'))
    const { code } = await get('bearerToken: secret', [`${one.url}/from-one`, `${one.url}/at-home`])
    expect(code).toBe(0)
    expect(one.requests.map((each) => each.headers['authorization'])).toEqual(Array(3).fill('Bearer secret'))
    expect(two.requests[0]?.headers).not.toHaveProperty('authorization')
  })
})
