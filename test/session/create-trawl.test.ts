import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { batchDownload, createTrawl } from '../../src/session/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
})
const urls = (count: number, prefix = ''): string[] =>
  Array.from({ length: count }, (_, n) => `${origin.url}/${prefix}${n}.bin`)

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

describe('a trawl', () => {
  test('shares its limits over jobs', async () => {
    origin.route('/*', withFaults(respond.whole(body('x', 3000)), faults.latency(3)))
    await using trawl = await createTrawl({ maxPerHost: 3 })
    const jobs = ['a', 'b', 'c'].map((prefix) => trawl.get(urls(20, prefix), { dir: newFolder() }))
    for (const job of jobs) expect((await job.result).stats.ok).toBe(20)
    expect(origin.maxActive).toBe(3)
  })

  test('has one set of connections for all jobs, whatever their folders', async () => {
    await using trawl = await createTrawl()
    for (const prefix of ['a', 'b', 'c', 'd']) {
      const job = trawl.get(urls(1, prefix), { dir: newFolder(), headers: { 'x-job': prefix } })
      expect((await job.result).stats.ok).toBe(1)
    }
    expect(origin.requests.map(({ headers }) => headers['x-job'])).toEqual(['a', 'b', 'c', 'd'])
    expect(origin.connections).toBe(1)
    await trawl.get(urls(1, 'e'), { dir: newFolder(), userAgent: 'another' }).result
    expect(origin.connections).toBe(2)
  })

  test('changes limits while jobs run', async () => {
    origin.route('/*', withFaults(respond.whole(body('x', 3000)), faults.latency(5)))
    await using trawl = await createTrawl({ maxPerHost: 8 })
    const job = trawl.get(urls(150), { dir: newFolder() })
    await until(() => origin.maxActive === 8)
    job.update({ maxPerHost: 2 })
    await until(() => job.progress().active <= 2)
    origin.reset()
    await job.result
    expect(origin.maxActive).toBeLessThanOrEqual(2)
  })

  test('is closed: running jobs end with their state kept, nothing can be started', async () => {
    const size = 200_000
    origin.route('/*', (request) =>
      withFaults(respond.withRange(body(request.path, size)), faults.rate(400_000))(request),
    )
    const dir = newFolder()
    const trawl = await createTrawl({ maxPerHost: 4 })
    const job = trawl.get(urls(40), { dir })
    await until(() => job.progress().ok > 0)
    await Promise.all([trawl.close(), trawl.close()])
    expect(job.status).toBe('cancelled')
    for (const name of readdirSync(dir).filter((each) => each !== '.trawl')) {
      expect(readFileSync(join(dir, name)).equals(body(`/${name}`, size).bytes())).toBe(true)
    }
    expect(existsSync(join(dir, '.trawl/lock'))).toBe(false)
    expect(() => trawl.get(urls(1), { dir })).toThrow(expect.objectContaining({ code: 'ERR_CANCELLED' }))
  })

  test('that was never used is closed at once', async () => {
    await (await createTrawl()).close()
  })

  test('says what is wrong with options before anything is done', async () => {
    await expect(createTrawl({ retries: -1 })).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await expect(createTrawl({ nonsense: 1 } as never)).rejects.toMatchObject({
      code: 'ERR_CONFIG_UNKNOWN_KEY',
    })
    await using trawl = await createTrawl()
    expect(() => trawl.get(urls(1), { onExists: 'maybe' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
    )
    expect(() => trawl.get(urls(1), { name: '{nonsense' })).not.toThrow()
    expect(origin.requests).toHaveLength(0)
  })

  test.each([
    ['a template that is wrong', { name: '{nonsense' }, 'ERR_CONFIG_INVALID'],
    ['cookies that cannot be read', { cookies: '/no/such/file' }, 'ERR_CONFIG_UNREADABLE'],
    ['a certificate that cannot be read', { caCertificate: '/no/such/file' }, 'ERR_CONFIG_UNREADABLE'],
  ])('%s ends the job with exit code 2 and no request', async (_title, options, code) => {
    await using trawl = await createTrawl()
    const dir = join(newFolder(), 'out')
    const { status, error } = await trawl.get(urls(1), { ...options, dir }).result
    expect([status, error?.code]).toEqual(['failed', code])
    expect(origin.requests).toHaveLength(0)
    // The next job is none the worse for it.
    expect((await trawl.get(urls(1), { dir }).result).status).toBe('done')
  })

  test('saves cookies at its end, and says where it could not', async () => {
    origin.route('/*', () => ({ status: 200, headers: { 'Set-Cookie': 'a=1; Path=/; Max-Age=1000' } }))
    const folder = newFolder()
    const good = await createTrawl({ saveCookies: join(folder, 'jar.txt') })
    await good.get(urls(1), { dir: newFolder() }).result
    await good.close()
    expect(readFileSync(join(folder, 'jar.txt'), 'utf8')).toContain('\ta\t1')
    mkdirSync(join(folder, 'no/such'), { recursive: true })
    const bad = await createTrawl({ saveCookies: join(folder, 'no/such/jar.txt') })
    await bad.get(urls(1), { dir: newFolder() }).result
    rmSync(join(folder, 'no/such'), { recursive: true })
    await expect(bad.close()).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringContaining('jar.txt'),
    })
  })

  test('two trawls do not work in one folder at one time', async () => {
    origin.route('/*', withFaults(respond.whole(body('x', 10)), faults.latency(200)))
    const dir = newFolder()
    await using one = await createTrawl()
    await using other = await createTrawl()
    const first = one.get(urls(1), { dir })
    await until(() => origin.requests.length === 1)
    const { status, error } = await other.get(urls(1), { dir }).result
    expect([status, error?.code]).toEqual(['failed', 'ERR_LOCKED'])
    expect((await first.result).status).toBe('done')
    expect((await other.get(urls(1), { dir }).result).stats.skipped).toBe(1)
  })

  test('tells of a damaged journal, and goes on with what is sound', async () => {
    const dir = newFolder()
    await using trawl = await createTrawl()
    await trawl.get(urls(5), { dir }).result
    const journal = join(dir, '.trawl/journal')
    const bytes = readFileSync(journal)
    bytes.fill(0xff, 100, 140)
    writeFileSync(journal, bytes)
    const notices: string[] = []
    const job = trawl.get(urls(5), { dir })
    job.onEvent((event) => void (event.type === 'job.notice' && notices.push(event.message)))
    const { stats } = await job.result
    expect(stats.failed).toBe(0)
    expect(stats.skipped).toBeGreaterThanOrEqual(3)
    expect(notices).toEqual([expect.stringContaining('was damaged')])
  })

  test('a drained job can be gone on with', async () => {
    origin.route('/*', withFaults(respond.whole(body('x', 1000)), faults.latency(3)))
    await using trawl = await createTrawl({ maxPerHost: 2 })
    const dir = newFolder()
    const job = trawl.get(urls(60), { dir })
    await until(() => job.progress().ok > 3)
    await job.cancel({ drain: true })
    const first = await job.result
    expect(first).toMatchObject({ status: 'cancelled', stats: { failed: 0 } })
    const second = await trawl.get(urls(60), { dir }).result
    expect(second).toMatchObject({
      status: 'done',
      stats: { skipped: first.stats.ok, ok: 60 - first.stats.ok },
    })
    expect(origin.requests).toHaveLength(60)
  })
})

describe('batchDownload', () => {
  test('gives outcomes in the order of the input, also of what failed', async () => {
    origin.route('/*', (request) =>
      withFaults(respond.whole(body(request.path, 50)), faults.latency(Math.random() * 10))(request),
    )
    origin.route('/2.bin', respond.status(404))
    const list = [...urls(5), 'nonsense', ...urls(3, 'x')]
    const items = await batchDownload(list, { dir: newFolder() })
    expect(items.map((each) => each.input)).toEqual(list)
    expect(items.map((each) => each.status)).toEqual([
      'ok',
      'ok',
      'failed',
      'ok',
      'ok',
      'failed',
      'ok',
      'ok',
      'ok',
    ])
    expect(items.stats).toMatchObject({ planned: 9, ok: 7, failed: 2 })
  })

  test('tells progress, to the end', async () => {
    const told: [number, number][] = []
    await batchDownload(urls(3), {
      dir: newFolder(),
      onProgress: (done, planned) => told.push([done, planned]),
    })
    expect(told.at(-1)).toEqual([3, 3])
  })

  test('rejects with what ended the whole batch', async () => {
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    await expect(batchDownload(urls(1), { dir: file })).rejects.toMatchObject({ code: 'ERR_NOT_DIRECTORY' })
    await expect(batchDownload(urls(1), { retries: -1 })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })

  test('rejects when it is cancelled', async () => {
    origin.route('/*', withFaults(respond.status(200), faults.latency(60_000)))
    for (const signal of [AbortSignal.abort(), AbortSignal.timeout(50)]) {
      await expect(batchDownload(urls(2), { dir: newFolder(), signal })).rejects.toMatchObject({
        code: 'ERR_CANCELLED',
      })
    }
  })
})
