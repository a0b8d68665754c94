import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DownloadEvent, Outcome } from '../../src/core/index.ts'
import type { GetInputs } from '../../src/files/index.ts'
import { createTrawl, type GetJobOptions, type Trawl } from '../../src/session/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { describeWithVolumes } from '../small-volume.ts'
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

interface Ran {
  readonly dir: string
  readonly outcomes: readonly Outcome[]
  readonly events: readonly DownloadEvent[]
  readonly result: Awaited<ReturnType<Trawl['get']>['result']>
}

async function get(inputs: GetInputs, options: GetJobOptions = {}): Promise<Ran> {
  const dir = options.dir ?? newFolder()
  const outcomes: Outcome[] = []
  const events: DownloadEvent[] = []
  const { hooks, ...rest } = options
  const job = trawl.get(inputs, {
    ...rest,
    dir,
    hooks: {
      ...hooks,
      afterItem: (outcome, tools) => (outcomes.push(outcome), hooks?.afterItem?.(outcome, tools)),
    },
  })
  job.onEvent((event) => events.push(event))
  const result = await job.result
  const { planned, ok, skipped, failed, unfinished } = result.stats
  expect(ok + skipped + failed + unfinished).toBe(planned)
  return { dir, outcomes: outcomes.toSorted((a, b) => a.ordinal - b.ordinal), events, result }
}

const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')
const brief = (ran: Ran): string[] => ran.outcomes.map((each) => each.path ?? each.error?.code ?? each.status)

describe('what may be given', () => {
  test('text, URL, an object, mirrors, a pattern', async () => {
    const ran = await get([
      `${origin.url}/a.bin`,
      new URL(`${origin.url}/b.bin`),
      { url: `${origin.url}/c.bin`, path: 'sub/see.bin' },
      { urls: [`${origin.url}/d.bin`, `${origin.url}/mirror/d.bin`] },
      `${origin.url}/p-[08-11].bin`,
    ])
    expect(brief(ran)).toEqual([
      'a.bin',
      'b.bin',
      'sub/see.bin',
      'd.bin',
      'p-08.bin',
      'p-09.bin',
      'p-10.bin',
      'p-11.bin',
    ])
    expect(ran.outcomes.map((each) => each.ordinal)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(readFileSync(join(ran.dir, 'sub/see.bin')).equals(body('/c.bin', 1000).bytes())).toBe(true)
  })

  test('one address alone, not in a list', async () => {
    expect(brief(await get(`${origin.url}/a.bin`))).toEqual(['a.bin'])
    expect(brief(await get(new URL(`${origin.url}/a.bin`) as never))).toEqual(['a.bin'])
  })

  test('a generator and an async one, read as they are needed', async () => {
    async function* slowly(): AsyncGenerator<string> {
      yield `${origin.url}/a.bin`
      await new Promise((resolve) => setTimeout(resolve, 20))
      yield `${origin.url}/b.bin`
    }
    expect(brief(await get(slowly()))).toEqual(['a.bin', 'b.bin'])
    expect(brief(await get(new Set([`${origin.url}/a.bin`])))).toEqual(['a.bin'])
    function* breaks(): Generator<string> {
      yield `${origin.url}/c.bin`
      throw new Error('out of paper')
    }
    const broken = await get(breaks())
    expect(brief(broken)).toEqual(['c.bin'])
    expect(broken.result).toMatchObject({ status: 'failed', error: { message: 'out of paper' } })
    expect((await get([])).result).toMatchObject({ status: 'done', stats: { planned: 0 } })
  })

  test('what is no address fails in its place and stops nothing', async () => {
    const ran = await get([
      'nonsense',
      `${origin.url}/a.bin`,
      'ftp://h/x',
      {} as never,
      undefined as never,
      null as never,
      7 as never,
      { urls: [] },
      { url: 'http://' },
      `${origin.url}/[1-`,
      `${origin.url}/b.bin`,
    ])
    expect(brief(ran)).toEqual([
      'ERR_URL_INVALID',
      'a.bin',
      'ERR_URL_SCHEME',
      ...Array.from({ length: 6 }, () => 'ERR_URL_INVALID'),
      expect.stringMatching(/^ERR_/),
      'b.bin',
    ])
    expect(ran.outcomes.map((each) => each.ordinal)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(ran.outcomes[0]?.input).toBe('nonsense')
    expect(ran.result.status).toBe('partial')
  })

  test('a generator that throws ends the job with its error, after what was given', async () => {
    function* broken(): Generator<string> {
      yield `${origin.url}/a.bin`
      throw new Error('mine')
    }
    const ran = await get(broken())
    expect(ran.result).toMatchObject({ status: 'failed', error: { message: 'mine' } })
  })

  test('the same address again is a file again, and found again', async () => {
    const twice = [`${origin.url}/a.bin`, `${origin.url}/a.bin`]
    const first = await get(twice)
    expect(brief(first)).toEqual(['a.bin', 'a (1).bin'])
    const second = await get(twice, { dir: first.dir })
    expect(second.result.stats).toMatchObject({ skipped: 2, ok: 0 })
    expect(origin.requests).toHaveLength(2)
  })

  test('a header that would make another file of it fails that one', async () => {
    const inputs = [{ url: `${origin.url}/a.bin`, headers: { Range: 'bytes=0-9' } }, `${origin.url}/b.bin`]
    const { outcomes } = await get(inputs)
    expect(outcomes.map(({ status, error }) => [status, error?.code])).toEqual(
      expect.arrayContaining([
        ['failed', 'ERR_INPUT_INVALID'],
        ['ok', undefined],
      ]),
    )
  })

  test('a field that is misspelt fails that one', async () => {
    const misspelt = { url: `${origin.url}/a.bin`, checkum: 'sha-256=00' }
    const { outcomes } = await get([misspelt, `${origin.url}/b.bin`])
    expect(outcomes.map(({ status, error }) => [status, error?.message])).toEqual(
      expect.arrayContaining([
        ['failed', 'unknown field "checkum"; did you mean checksum?'],
        ['ok', undefined],
      ]),
    )
  })

  test('headers of the job and of one file come together', async () => {
    await get([{ url: `${origin.url}/a.bin`, headers: { 'X-Own': 'own', 'X-Both': 'own' } }], {
      headers: { 'X-Job': 'job', 'x-both': 'job' },
      referer: 'http://from/',
    })
    expect(origin.requests[0]?.headers).toMatchObject({
      'x-own': 'own',
      'x-job': 'job',
      'x-both': 'own',
      referer: 'http://from/',
    })
  })

  test('names that climb out of the folder', async () => {
    const ran = await get(
      ['../up.bin', '/abs.bin', 'a/../../b.bin', 'C:\\x\\..\\..\\y'].map((path) => ({
        url: `${origin.url}/x`,
        path,
      })),
    )
    for (const outcome of ran.outcomes) {
      if (outcome.status === 'ok') expect(existsSync(join(ran.dir, outcome.path ?? ''))).toBe(true)
      else expect(outcome.error?.code).toBe('ERR_PATH_UNSAFE')
    }
    expect(ran.outcomes[0]?.error?.code).toBe('ERR_PATH_UNSAFE')
    expect(existsSync(join(ran.dir, '../up.bin'))).toBe(false)
    expect(existsSync('/abs.bin')).toBe(false)
  })
})

describe('lists', () => {
  const list = (dir: string, name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }

  test('what is wrong in a line is told with its place; the other lines are files', async () => {
    const dir = newFolder()
    const file = list(
      dir,
      'list.txt',
      `# files\n${origin.url}/a.bin\n\nhttp//typo\n${origin.url}/b.bin # good\n`,
    )
    const ran = await get([], { inputFile: [file] })
    expect(brief(ran)).toEqual(['a.bin', 'ERR_URL_INVALID', 'b.bin'])
    expect(ran.outcomes[1]?.error?.message).toContain(`${file}:4`)
    expect(ran.result.stats.failed).toBe(1)
  })

  test('connections of a file as a list allows them', async () => {
    const list = join(newFolder(), 'list')
    for (const [options, most] of [
      ['split=3', 3],
      ['split=8\n  max-connection-per-server=2', 2],
      ['max-connection-per-server=1', 1],
    ] as const) {
      // One each: an answer that was cut short is active until the origin sees it.
      await using own = await createFaultOrigin()
      const large = respond.withRange(body('/large.bin', 3_000_000), { etag: '"1"' })
      own.route('/large.bin', withFaults(large, faults.rate(4_000_000)))
      writeFileSync(list, `${own.url}/large.bin\n  ${options}\n`)
      expect(brief(await get([], { inputFile: [list] }))).toEqual(['large.bin'])
      expect(own.maxActive, options).toBe(most)
    }
  })

  test('options of aria2 below a line', async () => {
    const dir = newFolder()
    const digest = body('/a.bin', 1000).digest()
    const text = `${origin.url}/a.bin\n  out=named.bin\n  dir=sub\n  checksum=sha-256=${digest}\n  header=X-One: two\n${origin.url}/b.bin\n  checksum=sha-256=${digest}\n`
    const ran = await get([], { inputFile: [list(dir, 'list.txt', text)] })
    expect(brief(ran)).toEqual(['sub/named.bin', 'b.bin'])
    expect(ran.outcomes.map((each) => each.status)).toEqual(['ok', 'failed'])
    expect(ran.outcomes[1]?.error?.code).toBe('ERR_DIGEST_MISMATCH')
    expect(origin.requests[0]?.headers['x-one']).toBe('two')
  })

  test('one that cannot be read stops none of the others, and is the error of the job', async () => {
    const dir = newFolder()
    const good = list(dir, 'good.txt', `${origin.url}/b.bin\n`)
    const ran = await get([`${origin.url}/a.bin`], { inputFile: [join(dir, 'missing'), dir, good] })
    expect(brief(ran)).toEqual(['a.bin', 'b.bin'])
    expect(ran.result).toMatchObject({ status: 'failed', error: { code: 'ERR_INPUT_UNREADABLE' } })
    const said = JSON.stringify([ran.result.error, ran.events.filter((event) => event.type === 'job.notice')])
    expect(said).toContain('missing')
    expect(said).toContain(dir)
  })

  test('standard input', async () => {
    async function* stdin(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${origin.url}/a.b`)
      yield Buffer.from(`in\n${origin.url}/b.bin`)
    }
    expect(brief(await get([], { inputFile: ['-'], stdin: stdin() }))).toEqual(['a.bin', 'b.bin'])
    const without = await get([], { inputFile: ['-'] })
    expect(without.result.error?.code).toBe('ERR_INPUT_UNREADABLE')
  })
})

describe('the report', () => {
  test('has a line for each item', async () => {
    const dir = newFolder()
    const report = join(dir, 'report.jsonl')
    origin.route('/bad.bin', respond.status(404))
    origin.route('/flaky.bin', faults.inTurn(respond.status(500), respond.whole(body('x', 10))))
    const given = [`${origin.url}/a.bin`, `${origin.url}/bad.bin`, 'nonsense', `${origin.url}/flaky.bin`]
    await get(given, { report, dir })
    const lines = readFileSync(report, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const of = (input: string): unknown => lines.find((line) => String(line['input']).endsWith(input))
    expect(lines).toHaveLength(4)
    expect(of('/a.bin')).toMatchObject({
      path: 'a.bin',
      status: 'ok',
      bytes: 1000,
      attempts: 1,
      ms: expect.any(Number),
    })
    expect(of('/bad.bin')).toMatchObject({
      status: 'failed',
      code: 'ERR_HTTP_NOT_FOUND',
      message: expect.any(String),
    })
    expect(of('nonsense')).toMatchObject({ status: 'failed', code: 'ERR_URL_INVALID' })
    expect(of('/flaky.bin')).toMatchObject({ status: 'ok', attempts: 2 })
    await get([given[0] ?? ''], { report, dir })
    expect(readFileSync(report, 'utf8')).toContain('"reason":"finished-before"')
  })

  test('that cannot be made is told before anything is sent, and the folder is free again', async () => {
    const dir = newFolder()
    const ran = await get([`${origin.url}/a.bin`], { report: join(dir, 'no/such/folder/report'), dir })
    expect(ran.result).toMatchObject({ status: 'failed', error: { code: 'ERR_IO' } })
    expect(origin.requests).toHaveLength(0)
    expect((await get([`${origin.url}/a.bin`], { dir })).result.status).toBe('done')
  })
})

describeWithVolumes('a report on a full volume', (newVolume) => {
  test('is told once; the files are fetched all the same', async () => {
    const volume = newVolume(16)
    const report = join(volume.path, 'report.jsonl')
    const inputs = Array.from({ length: 600 }, (_, n) => `${origin.url}/${'x'.repeat(100)}-${n}.bin`)
    const ran = await get(inputs, { report })
    expect(ran.result).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_NO_SPACE' },
      stats: { ok: 600 },
    })
    expect(names(ran.dir)).toHaveLength(600)
    expect(ran.events.filter((event) => event.type === 'job.notice')).toHaveLength(1)
    // The folder was closed in order: the next job finds everything.
    expect((await get(inputs, { dir: ran.dir })).result.stats.skipped).toBe(600)
  })
})

describe('hooks', () => {
  test('are called around each file; beforeItem may leave it out', async () => {
    origin.route('/bad.bin', respond.status(404))
    const called: string[] = []
    const ran = await get([`${origin.url}/a.bin`, `${origin.url}/bad.bin`, `${origin.url}/left-out.bin`], {
      hooks: {
        beforeItem: (task) => {
          const url = task.locator.kind === 'mirrors' ? (task.locator.places[0]?.url ?? '') : ''
          return url.endsWith('left-out.bin') ? false : undefined
        },
        onError: (outcome) => void called.push(`error ${outcome.error?.code}`),
        afterItem: (outcome) => void called.push(outcome.status),
        onFinish: (stats) => void called.push(`finish ${stats.planned}`),
      },
    })
    expect(called.at(-1)).toBe('finish 3')
    expect(called.toSorted()).toEqual(['error ERR_HTTP_NOT_FOUND', 'failed', 'finish 3', 'ok', 'skipped'])
    expect(ran.outcomes[2]).toMatchObject({ status: 'skipped', skipReason: 'filtered' })
    expect(origin.requests.some((request) => request.path === '/left-out.bin')).toBe(false)
  })

  test('that throw are told and harm no file but their own', async () => {
    const boom = (): never => {
      throw new Error('my hook is broken')
    }
    for (const hooks of [
      { afterItem: boom },
      { onError: boom },
      { onFinish: boom },
      { afterItem: async () => boom() },
    ]) {
      origin.route('/bad.bin', respond.status(404))
      const ran = await get([`${origin.url}/a.bin`, `${origin.url}/bad.bin`, `${origin.url}/b.bin`], {
        hooks,
      })
      expect(ran.result.stats).toMatchObject({ ok: 2, failed: 1 })
      expect(ran.result.error).toBeUndefined()
      const notices = ran.events.filter((event) => event.type === 'job.notice')
      expect(JSON.stringify(notices)).toContain('my hook is broken')
    }
    const ran = await get([`${origin.url}/a.bin`], { hooks: { beforeItem: boom } })
    expect(ran.outcomes).toMatchObject([{ status: 'failed', error: { message: 'my hook is broken' } }])
  })
})

describe('one file to a consumer', () => {
  const collect = () => {
    const chunks: Uint8Array[] = []
    return {
      output: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)),
      bytes: () => Buffer.concat(chunks),
    }
  }

  test('gets all bytes in order, and no folder is made', async () => {
    const file = body('/big', 5_000_000)
    origin.route('/big', respond.withRange(file))
    const { output, bytes } = collect()
    const dir = join(newFolder(), 'never')
    const ran = await get([`${origin.url}/big`], { output, dir })
    expect(ran.result.status).toBe('done')
    expect(bytes().equals(file.bytes())).toBe(true)
    expect(existsSync(dir)).toBe(false)
  })

  test('a slow consumer holds the server up', async () => {
    origin.route('/big', respond.withRange(body('/big', 64 * 1024 * 1024)))
    let most = 0
    let got = 0
    const output = async (chunk: Uint8Array): Promise<void> => {
      got += chunk.length
      most = Math.max(most, origin.sentBytes - got)
      if (got < 3_000_000) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const ran = await get([`${origin.url}/big`], { output })
    expect(ran.result.status).toBe('done')
    expect(got).toBe(64 * 1024 * 1024)
    expect(most).toBeLessThan(32 * 1024 * 1024)
  })

  test('a connection that breaks before the first byte is tried again, later it is told', async () => {
    const file = body('/f', 500_000)
    origin.route('/f', faults.inTurn(respond.hangUp('rst'), respond.whole(file)))
    const good = collect()
    expect((await get([`${origin.url}/f`], { output: good.output })).result.status).toBe('done')
    expect(good.bytes().equals(file.bytes())).toBe(true)
    origin.route('/f', withFaults(respond.whole(file), faults.firstTimes(1, faults.cutAfter(200_000, 'rst'))))
    const cut = collect()
    const ran = await get([`${origin.url}/f`], { output: cut.output })
    expect(ran.result.stats.failed).toBe(1)
    expect(file.bytes().subarray(0, cut.bytes().length).equals(cut.bytes())).toBe(true)
  })

  test('a consumer that fails is not asked again', async () => {
    for (const [late, code] of [
      [false, 'EPIPE'],
      [true, 'EPIPE'],
      [false, 'ENOSPC'],
      [true, 'ENOSPC'],
    ] as const) {
      let calls = 0
      const output = (): void | Promise<void> => {
        calls++
        const error = Object.assign(new Error(`write ${code}`), { code })
        if (late) return Promise.reject(error)
        throw error
      }
      const ran = await get([`${origin.url}/f`], { output })
      expect(ran.outcomes).toMatchObject([{ status: 'failed', attempts: 1, error: { code: 'ERR_IO' } }])
      expect(calls).toBe(1)
    }
  })

  test('only one file, so that bytes are never mixed', async () => {
    const { output, bytes } = collect()
    const ran = await get([`${origin.url}/[1-3].bin`], { output })
    expect(ran.result.stats).toMatchObject({ ok: 1, failed: 2, failures: { ERR_USAGE: 2 } })
    expect(bytes().equals(body('/1.bin', 1000).bytes())).toBe(true)
  })
})

describe('folders', () => {
  test('a folder that is a file, or lies below one', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'file'), 'mine')
    for (const path of [join(dir, 'file'), join(dir, 'file/below')]) {
      const ran = await get([`${origin.url}/a.bin`], { dir: path })
      expect(ran.result).toMatchObject({ status: 'failed', error: { code: 'ERR_NOT_DIRECTORY' } })
      expect(ran.result.error?.message).toContain(path)
    }
    expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('mine')
    expect(origin.requests).toHaveLength(0)
  })

  test('what stands in the way of single files fails those, with what to do', async () => {
    const dir = newFolder()
    mkdirSync(join(dir, 'a.bin'))
    writeFileSync(join(dir, 'sub'), 'a file')
    const ran = await get(
      [`${origin.url}/a.bin`, { url: `${origin.url}/b.bin`, path: 'sub/b.bin' }, `${origin.url}/c.bin`],
      { dir },
    )
    expect(ran.outcomes.map((each) => each.error?.code)).toEqual([
      'ERR_IS_DIRECTORY',
      'ERR_NOT_DIRECTORY',
      undefined,
    ])
    expect(ran.result.stats).toMatchObject({ ok: 1, failed: 2 })
  })

  test('two jobs of one trawl share a folder: every name is given once', async () => {
    const dir = newFolder()
    const a = Array.from({ length: 40 }, (_, n) => `${origin.url}/a/${n}.bin`)
    const b = Array.from({ length: 40 }, (_, n) => `${origin.url}/b/${n}.bin`)
    const [first, second] = await Promise.all([get(a, { dir }), get(b, { dir })])
    expect(first.result.stats.ok + second.result.stats.ok).toBe(80)
    expect(new Set(names(dir)).size).toBe(80)
    for (const ran of [first, second]) {
      for (const outcome of ran.outcomes) {
        const path = new URL(outcome.input).pathname
        expect(readFileSync(join(dir, outcome.path ?? '')).equals(body(path, 1000).bytes())).toBe(true)
      }
    }
  })

  test('two jobs that want the same files at one time: each is there once', async () => {
    const dir = newFolder()
    origin.route(
      '/*',
      withFaults((request) => respond.withRange(body(request.path, 30_000))(request), faults.latency(5)),
    )
    const list = Array.from({ length: 30 }, (_, n) => `${origin.url}/${n}.bin`)
    const both = await Promise.all([get(list, { dir, retries: 8 }), get(list, { dir, retries: 8 })])
    for (const ran of both) expect(ran.result.stats.failed).toBe(0)
    expect(names(dir).toSorted()).toEqual(list.map((url) => url.slice(url.lastIndexOf('/') + 1)).toSorted())
    for (const name of names(dir)) {
      expect(readFileSync(join(dir, name)).equals(body(`/${name}`, 30_000).bytes())).toBe(true)
    }
  })

  test('outcomes can be read after the end', async () => {
    origin.route('/bad.bin', respond.status(404))
    const job = trawl.get([`${origin.url}/a.bin`, `${origin.url}/bad.bin`], { dir: newFolder() })
    await job.result
    expect((await Array.fromAsync(job.items())).map((each) => each.status).toSorted()).toEqual([
      'failed',
      'ok',
    ])
    expect(await Array.fromAsync(job.items({ status: 'failed' }))).toMatchObject([{ httpStatus: 404 }])
  })
})
