import { describe, expect, it } from 'vitest'
import {
  allGroups,
  bookGroups,
  getGroups,
  hostOptions,
  hostOrigins,
  matchesHost,
  parseConfigFile,
  parseOptions,
  resolveConfig,
  sourceOptions,
  type ConfigDocument,
  type FileLayer,
} from '../../src/config/index.ts'
import { isTrawlError, type TrawlError } from '../../src/core/index.ts'

const paths: Readonly<Record<FileLayer, string>> = {
  user: '/home/u/.config/trawl/config.yaml',
  project: '/projects/album/trawl.config.yaml',
  option: '/opt/fast.yaml',
}

function file(layer: FileLayer, text: string): Promise<ConfigDocument> {
  return parseConfigFile({ layer, path: paths[layer], text })
}

function errorOf(run: () => unknown): TrawlError {
  try {
    run()
  } catch (error) {
    if (isTrawlError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

async function fileError(text: string, layer: FileLayer = 'project'): Promise<TrawlError> {
  try {
    const document = await file(layer, text)
    return errorOf(() => resolveConfig({ groups: getGroups, layers: { files: [document] } }))
  } catch (error) {
    if (isTrawlError(error)) return error
    throw error
  }
}

function flagError(name: string, text: string): string {
  return errorOf(() => resolveConfig({ groups: getGroups, layers: { flags: { [name]: text } } })).message
}

function inputError(input: object): string {
  return errorOf(() => parseOptions(getGroups, input)).message
}

describe('resolveConfig', () => {
  it('gives every option its default, and says so', () => {
    const { values, origins } = resolveConfig({ groups: getGroups })
    expect(values).toMatchObject({
      dir: '.',
      timeoutMs: 30_000,
      connectTimeoutMs: 10_000,
      maxRedirects: 20,
      http2: 'off',
      concurrency: 'auto',
      split: 'auto',
      maxPerHost: 'auto',
      maxPerHostCeiling: 256,
      retries: 5,
      retryAfterMaxMs: 3_600_000,
      spaceWaitMs: 600_000,
      onExists: 'resume',
      durability: 'batch',
      mode: 'async',
    })
    expect(Object.hasOwn(values, 'proxy')).toBe(false)
    expect(origins['timeoutMs']).toEqual({ layer: 'default' })
    expect(origins['proxy']).toEqual({ layer: 'default' })
  })

  it('lays user file, project file, environment, option file and flags over each other', async () => {
    const user = await file('user', 'retries: 1\ntimeout: 1s\nsplit: 1\nmaxPerHost: 1\nlimitRate: 1KiB')
    const project = await file('project', 'retries: 2\ntimeout: 2s\nsplit: 2\nmaxPerHost: 2')
    const option = await file('option', 'retries: 4\ntimeout: 4s')
    const env = { TRAWL_RETRIES: '3', TRAWL_TIMEOUT: '3', TRAWL_SPLIT: '3', TRAWL_DIR: '' }
    // The order of the list does not matter, the layer does.
    const files = [option, project, user]
    const { values, origins } = resolveConfig({
      groups: getGroups,
      layers: { files, env, flags: { retries: '5' } },
    })
    expect(values).toMatchObject({
      limitRateBps: 1024,
      maxPerHost: 2,
      split: 3,
      timeoutMs: 4000,
      retries: 5,
      dir: '.',
    })
    expect(origins).toMatchObject({
      limitRateBps: { layer: 'user', file: paths.user, line: 5, column: 1 },
      maxPerHost: { layer: 'project', file: paths.project, line: 4 },
      split: { layer: 'environment', variable: 'TRAWL_SPLIT' },
      timeoutMs: { layer: 'option', file: paths.option, line: 2 },
      retries: { layer: 'flag', flag: '--retries' },
      dir: { layer: 'default' },
    })
  })

  it('keeps "given as the default" distinct from "not given"', async () => {
    const project = await file('project', 'retries: 2')
    const { values, origins } = resolveConfig({
      groups: getGroups,
      layers: { files: [project], flags: { retries: '5' } },
    })
    expect(values.retries).toBe(5)
    expect(origins['retries']).toEqual({ layer: 'flag', flag: '--retries' })
  })

  it('takes null in a file and an empty flag as "not set", with their origin', async () => {
    const user = await file('user', 'proxy: http://a:1\nretries: 7\nreuse: [/a]\nreferer: x')
    const project = await file('project', 'proxy: ~\nretries:\n')
    const { values, origins } = resolveConfig({
      groups: getGroups,
      layers: { files: [user, project], flags: { referer: '', reuse: [''] } },
    })
    expect(Object.hasOwn(values, 'proxy')).toBe(false)
    expect(Object.hasOwn(values, 'referer')).toBe(false)
    expect(values.retries).toBe(5)
    expect(values.reuse).toEqual([])
    expect(origins['proxy']).toMatchObject({ layer: 'project', line: 1 })
    expect(
      errorOf(() => resolveConfig({ groups: getGroups, layers: { flags: { timeoutMs: '' } } })).message,
    ).toBe('--timeout: "" is not allowed: give a duration such as 500ms, 30s, 10m or 1h30m')
  })

  it('joins headers of all layers by name; an empty one takes a header away', async () => {
    const user = await file('user', 'headers:\n  Accept-Language: de\n  X-A: user\n  X-B: user')
    const { values, origins } = resolveConfig({
      groups: getGroups,
      layers: {
        files: [user],
        env: { TRAWL_HEADERS: 'x-a: env\nX-C: c' },
        flags: { headers: ['X-B:', 'X-D: a: b'] },
      },
    })
    expect(values.headers).toEqual({ 'accept-language': 'de', 'x-a': 'env', 'x-c': 'c', 'x-d': 'a: b' })
    expect(origins).toMatchObject({
      'headers.accept-language': { layer: 'user', line: 1 },
      'headers.x-a': { layer: 'environment' },
      'headers.x-d': { layer: 'flag' },
    })
  })

  it('reads the block of its command only', async () => {
    const project = await file('project', 'retries: 1\nbook:\n  retries: 2\nget:\n  retries: 3\n  split: 4\n')
    const layers = { files: [project] }
    expect(resolveConfig({ groups: getGroups, layers }).values.retries).toBe(1)
    const get = resolveConfig({ groups: getGroups, layers, command: 'get' })
    expect([get.values.retries, get.values.split]).toEqual([3, 4])
    expect(get.origins['retries']).toMatchObject({ line: 5, block: 'get' })
    expect(resolveConfig({ groups: bookGroups, layers, command: 'book' }).values.retries).toBe(2)
  })

  it('knows the options of other commands without reading them', async () => {
    const project = await file('project', 'imageSize: not-a-size\nshardSize: 1')
    expect(resolveConfig({ groups: getGroups, layers: { files: [project] } }).values.retries).toBe(5)
    expect(
      errorOf(() => resolveConfig({ groups: allGroups, layers: { files: [project] } })).message,
    ).toContain('imageSize')
  })

  it('makes paths of project and option files absolute, and expands ~', async () => {
    const files = [
      await file('user', 'cookies: ~/cookies.txt\nreport: r.jsonl'),
      await file('project', 'dir: ./out\nreuse: [../other, /abs, ~/home]'),
      await file('option', 'caCertificate: ca.pem'),
    ]
    const { values } = resolveConfig({
      groups: getGroups,
      layers: { files, home: '/home/u', flags: { saveCookies: '~/jar' } },
    })
    expect(values).toMatchObject({
      cookies: '/home/u/cookies.txt',
      report: 'r.jsonl',
      dir: '/projects/album/out',
      reuse: ['/projects/album/../other', '/abs', '/home/u/home'],
      caCertificate: '/opt/ca.pem',
      saveCookies: '/home/u/jar',
    })
  })

  it('gives plain data that survives JSON', async () => {
    const project = await file('project', 'hosts: {example.org: {maxPerHost: 2, headers: {a: b}}}\njobs: 4/2')
    const config = resolveConfig({
      groups: bookGroups,
      layers: { files: [project], flags: { retries: '2', headers: ['c: d'] } },
    })
    const copy: typeof config = JSON.parse(JSON.stringify(config))
    expect(copy).toEqual(config)
    expect(hostOptions(copy, 'example.org')).toEqual(hostOptions(config, 'example.org'))
  })
})

describe('hosts and sources', () => {
  const text = [
    'maxPerHost: 8',
    'headers: {accept-language: de, x-all: all}',
    'hosts:',
    '  "*": {requestSpacing: 1s}',
    '  example.org:8080: {maxPerHost: 5}',
    '  Example.ORG: {maxPerHost: 2, limitRatePerHost: 1MiB, retries: 9, headers: {X-Host: h, x-all: ""}}',
    '  "*.example.org": {maxPerHost: 3, retries: 8}',
    '  "*.cdn.example.org": {maxPerHost: 4}',
    'sources:',
    '  iiif: {maxPerHost: 6, partial: skip, sourceOptions: {quality: high}}',
  ].join('\n')

  it('matches names, ports and subdomains', () => {
    expect(matchesHost('example.org', 'EXAMPLE.org:443')).toBe(true)
    expect(matchesHost('example.org:8080', 'example.org')).toBe(false)
    expect(matchesHost('*.example.org', 'a.b.example.org')).toBe(true)
    expect(matchesHost('*.example.org', 'example.org')).toBe(false)
    expect(matchesHost('*.example.org', 'badexample.org')).toBe(false)
    expect(matchesHost('*', '[::1]:80')).toBe(true)
    expect(matchesHost('[::1]:80', '[::1]:80')).toBe(true)
    expect(matchesHost('[::1]', '[::2]')).toBe(false)
  })

  it('takes the most precise pattern for each option, above the environment and below flags', async () => {
    const project = await file('project', text)
    const config = resolveConfig({
      groups: bookGroups,
      layers: {
        files: [project],
        env: { TRAWL_MAX_PER_HOST: '7' },
        flags: { retries: '1', headers: ['x-flag: f'] },
      },
    })
    expect(config.values.maxPerHost).toBe(7)
    expect(hostOptions(config, 'example.org')).toMatchObject({
      maxPerHost: 2,
      limitRatePerHostBps: 1_048_576,
      requestSpacingMs: 1000,
      retries: 1,
      headers: { 'accept-language': 'de', 'x-host': 'h', 'x-flag': 'f' },
    })
    expect(hostOptions(config, 'example.org').headers).not.toHaveProperty('x-all')
    expect(hostOptions(config, 'example.org:8080').maxPerHost).toBe(5)
    expect(hostOptions(config, 'a.example.org').maxPerHost).toBe(3)
    expect(hostOptions(config, 'a.cdn.example.org').maxPerHost).toBe(4)
    expect(hostOptions(config, 'other.net')).toMatchObject({ maxPerHost: 7, requestSpacingMs: 1000 })
    expect(hostOptions(config, 'other.net', 'iiif').maxPerHost).toBe(6)
    expect(hostOptions(config, 'example.org', 'iiif')).toMatchObject({ maxPerHost: 2, partial: 'skip' })
    expect(sourceOptions(config, 'iiif').sourceOptions).toEqual({ quality: 'high' })
    expect(sourceOptions(config, 'none')).toBe(config.values)
    expect(hostOrigins(config, 'example.org')).toMatchObject({
      maxPerHost: { line: 6, block: 'hosts.Example.ORG' },
      retries: { layer: 'flag' },
      timeoutMs: { layer: 'default' },
    })
  })

  it('gives the values themselves where no block is', () => {
    const config = resolveConfig({ groups: getGroups })
    expect(hostOptions(config, 'example.org')).toBe(config.values)
  })

  it('lets a block of the project take back one of the user, and blocks of programs stand above arguments', async () => {
    const files = [
      await file('user', 'hosts: {example.org: {maxPerHost: 2, split: 2}}'),
      await file('project', 'hosts: {example.org: {maxPerHost: null}}'),
    ]
    const config = resolveConfig({
      groups: getGroups,
      layers: { files, args: { split: 4 }, hosts: { 'example.org': { timeoutMs: 5 } } },
    })
    expect(hostOptions(config, 'example.org')).toMatchObject({ maxPerHost: 'auto', split: 4, timeoutMs: 5 })
    const own = resolveConfig({
      groups: getGroups,
      layers: { args: { split: 4 }, hosts: { 'Example.org': { split: 1 } } },
    })
    expect(hostOptions(own, 'example.org').split).toBe(1)
    expect(hostOrigins(own, 'example.org')['split']).toEqual({ layer: 'argument', name: 'split' })
  })

  it.each([
    ['hosts: {a.org: {dir: x}}', ':1:17: dir: cannot be set for one host'],
    ['hosts: {a.org: {name: x}}', ':1:17: name: cannot be set for one host'],
    ['sources: {s: {dir: x}}', ':1:15: dir: cannot be set for one source'],
    ['hosts: {a.org: 3}', ':1:9: hosts.a.org: not a mapping of options'],
    ['hosts: 3', ':1:1: hosts: not a mapping of options'],
    ['book: [1]', ':1:1: book: not a mapping of options'],
  ])('refuses %s', async (given, message) => {
    const error = await fileError(given)
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toBe(paths.project + message)
  })

  it('refuses blocks of programs that cannot be', () => {
    const error = errorOf(() =>
      resolveConfig({ groups: getGroups, layers: { hosts: { 'a.org': { dir: 'x' } } } }),
    )
    expect([error.code, error.message]).toEqual(['ERR_CONFIG_INVALID', 'dir: cannot be set for one host'])
  })
})

describe('errors', () => {
  it('names the flag, what was given and what is allowed', () => {
    expect(flagError('timeoutMs', '30x')).toBe(
      '--timeout: "30x" is not allowed: give a duration such as 500ms, 30s, 10m or 1h30m',
    )
    expect(flagError('limitRateBps', 'fast')).toBe(
      '--limit-rate: "fast" is not allowed: give bytes a second such as 500KB or 10MiB; 0 is no limit',
    )
    expect(flagError('concurrency', '0')).toBe(
      '--concurrency: "0" is not allowed: give auto or a whole number, from 1 to 10000',
    )
    expect(flagError('retries', '1.5')).toBe(
      '--retries: "1.5" is not allowed: give a whole number, from 0 to 1000',
    )
    expect(flagError('onExists', 'maybe')).toBe(
      '--on-exists: "maybe" is not allowed: give resume, skip, overwrite, rename or error',
    )
    expect(flagError('headers', 'no colon')).toBe(
      `--header: "no colon" is not allowed: give a header such as 'Accept-Language: en'`,
    )
    expect(flagError('checksum', 'sha-256=12')).toContain(
      '--checksum: "sha-256=12" is not allowed: give an algorithm',
    )
    expect(flagError('retries', 'a\nb')).not.toContain('\n')
    expect(flagError('retries', 'x'.repeat(10_000)).length).toBeLessThan(300)
  })

  it('names the variable', () => {
    const error = errorOf(() =>
      resolveConfig({ groups: getGroups, layers: { env: { TRAWL_MAX_SIZE: 'big' } } }),
    )
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toBe(
      'TRAWL_MAX_SIZE: "big" is not allowed: give a size such as 4096, 500KB or 10MiB',
    )
    expect(error.exitCode).toBe(2)
  })

  it('names file, line and column', async () => {
    const error = await fileError('# comment\nretries: 2\n  \ntimeout: soon\n')
    expect(error.message).toBe(
      `${paths.project}:4:1: timeout: "soon" is not allowed: give a duration such as 500ms, 30s, 10m or 1h30m`,
    )
    expect(error.context).toMatchObject({ file: paths.project, line: 4, column: 1, field: 'timeout' })
  })

  it.each([
    ['timout: 3s', 1, 'unknown key "timout"; did you mean timeout?'],
    ['retries: 1\nmax-per-host: 3', 2, 'unknown key "max-per-host"; did you mean maxPerHost?'],
    ['timeoutMs: 3', 1, 'unknown key "timeoutMs"; did you mean timeout?'],
    ['hosts: {}\nhots: {}', 2, 'unknown key "hots"; did you mean hosts?'],
    ['xyzzy: 3', 1, 'unknown key "xyzzy"'],
    ['get:\n  retrys: 3', 2, 'unknown key "retrys" in get; did you mean retries?'],
    ['hosts:\n  a.org:\n    retrys: 3', 3, 'unknown key "retrys" in hosts.a.org; did you mean retries?'],
    ['__proto__: 3', 1, 'unknown key "__proto__"'],
    ['constructor: {}', 1, 'unknown key "constructor"'],
  ])('%j: unknown key', async (given, line, message) => {
    const error = await fileError(given)
    expect(error.code).toBe('ERR_CONFIG_UNKNOWN_KEY')
    expect(error.message).toMatch(new RegExp(`^${paths.project}:${line}:\\d+: `))
    expect(error.message.replace(/^\S+ /, '')).toBe(message)
  })

  it.each([
    ['retries: [1', 1],
    ['retries: 1\nretries: 2', 2],
    ['a: b: c', 1],
    ['- a\n- b', 1],
    ['just text', 1],
    ['a: 1\n---\nb: 2', 2],
    ['headers: &a {x: *a}', 1],
    [`headers: ${'['.repeat(30)}${']'.repeat(30)}`, 1],
    ['? [a, b]\n: c', 1],
  ])('%j cannot be read', async (given, line) => {
    const error = await fileError(given)
    expect(error.code).toBe('ERR_CONFIG_UNREADABLE')
    expect(error.message).toMatch(new RegExp(`^${paths.project}:${line}:\\d+: [^\\n]+$`))
    expect(error.context).toMatchObject({ file: paths.project, line })
  })

  it('takes an empty file, and one of comments only', async () => {
    expect((await file('user', '')).entries).toEqual([])
    expect((await file('user', '# nothing\n')).entries).toEqual([])
    expect((await file('user', '---\n~\n')).entries).toEqual([])
  })

  it('refuses what may not stand in a file, or not in a project file', async () => {
    expect((await fileError('inputFile: [x]')).message).toBe(
      `${paths.project}:1:1: inputFile: cannot be set in a file: use --input-file`,
    )
    expect((await fileError('get: {exec: rm}')).message).toMatch(
      /:1:7: exec: cannot be set in a project file, which anyone/,
    )
    const user = await file('user', 'exec: echo {}')
    expect(resolveConfig({ groups: getGroups, layers: { files: [user] } }).values.exec).toBe('echo {}')
  })

  it('never shows secrets', async () => {
    const error = await fileError('user: nocolonsecret')
    expect(error.message).toContain('user: the value (not shown) is not allowed')
    expect(error.message).not.toContain('nocolonsecret')
  })

  it('names rules between options with the place of the one at fault', async () => {
    const env = { TRAWL_MIN_SIZE: '10MiB' }
    const flags = { maxSizeBytes: '1MiB' }
    expect(errorOf(() => resolveConfig({ groups: getGroups, layers: { env, flags } })).message).toBe(
      'TRAWL_MIN_SIZE: must not be more than maxSize',
    )
    expect((await fileError('retryDelay: 2m')).message).toBe(
      'retryMaxDelay: must not be less than retryDelay',
    )
    expect((await fileError('clientKey: k.pem')).message).toBe(
      `${paths.project}:1:1: clientKey: needs a client certificate too`,
    )
  })
})

describe('parseOptions', () => {
  it('fills defaults and keeps units', () => {
    const options = parseOptions(getGroups, { timeoutMs: 5, proxy: undefined, headers: { A: 'b' } })
    expect(options.timeoutMs).toBe(5)
    expect(options.retries).toBe(5)
    expect(options.headers).toEqual({ a: 'b' })
    expect(Object.hasOwn(options, 'proxy')).toBe(false)
  })

  it('refuses human forms, unknown names and values out of bounds', () => {
    expect(inputError({ timeoutMs: '30s' })).toBe(
      'timeoutMs: "30s" is not allowed: give a whole number of milliseconds, 0 or more',
    )
    expect(inputError({ timeoutMs: -1 })).toContain('timeoutMs: -1 is not allowed')
    expect(inputError({ timeoutMs: Number.NaN })).toContain('timeoutMs')
    expect(inputError({ timeout: 30 })).toBe('unknown option "timeout"; did you mean timeoutMs?')
    expect(inputError({ onExists: 'no' })).toBe(
      'onExists: "no" is not allowed: give resume, skip, overwrite, rename or error',
    )
    expect(inputError({ headers: { 'bad name': 'x' } })).toContain('headers: {"bad name":"x"} is not allowed')
    expect(inputError({ headers: { a: 'x\r\nEvil: 1' } })).toContain('headers')
  })

  it('does not change what it was given, nor the defaults', () => {
    const input = { headers: { a: '', b: 'c' } }
    parseOptions(getGroups, input)
    expect(input).toEqual({ headers: { a: '', b: 'c' } })
    expect(parseOptions(getGroups, {}).headers).toEqual({})
  })
})
