import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TrawlError, type Outcome } from '../../src/core/index.ts'
import { batchDownloadSync } from '../../src/session/index.ts'
import { body } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()

/** An origin in a thread of its own: this one stands still while it downloads. */
let origin: Worker
let base = ''
beforeAll(async () => {
  origin = new Worker(new URL('./origin-thread.ts', import.meta.url), { execArgv: [] })
  base = await new Promise<string>((resolve) => origin.once('message', resolve))
})
afterAll(() => origin.terminate())

let dir: string
beforeEach(() => {
  dir = newFolder()
})

function thrownBy(run: () => unknown): TrawlError {
  try {
    run()
  } catch (error) {
    if (error instanceof TrawlError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function expectWhole(items: readonly Outcome[]): void {
  for (const { path = '' } of items) {
    expect(readFileSync(join(dir, path)).equals(body(`/${path}`, 5000).bytes()), path).toBe(true)
  }
}

describe('batchDownloadSync', () => {
  test('returns what batchDownload resolves with, in the order of the input', () => {
    const urls = Array.from({ length: 30 }, (_, n) => `${base}/${n}.bin`)
    const items = batchDownloadSync(urls, { dir })
    expect(items.map((each) => each.input)).toEqual(urls)
    expect(items.stats).toMatchObject({ planned: 30, ok: 30, sizeBytes: 150_000 })
    expectWhole(items)
  })

  test('takes URLs, mirrors, options of single files, and anything that can be gone through', () => {
    function* inputs() {
      yield new URL(`${base}/a.bin`)
      yield { urls: [new URL(`${base}/missing/b.bin`), `${base}/b.bin`], path: 'b.bin' }
      yield { url: `${base}/c.bin`, headers: { 'x-test': '1' } }
    }
    const items = batchDownloadSync(inputs(), { dir, retries: 0 })
    expect(items.stats).toMatchObject({ ok: 3, failed: 0 })
    expectWhole(items)
  })

  test('single failures are outcomes', () => {
    const items = batchDownloadSync([`${base}/a.bin`, `${base}/missing/x.bin`, 'nonsense'], {
      dir,
      retries: 0,
    })
    expect(items.stats).toMatchObject({ ok: 1, failed: 2 })
    expect(items.map((each) => each.error?.code)).toEqual([
      undefined,
      'ERR_HTTP_NOT_FOUND',
      'ERR_URL_INVALID',
    ])
  })

  test('of nothing', () => {
    expect(batchDownloadSync([], { dir })).toHaveLength(0)
  })

  test('throws what ends the whole batch', () => {
    expect(thrownBy(() => batchDownloadSync([`${base}/a.bin`], { dir: '/proc/nowhere' })).exitCode).toBe(3)
    expect(thrownBy(() => batchDownloadSync([], { dir, retries: -1 })).code).toBe('ERR_CONFIG_INVALID')
  })

  test.each(['threads', 'processes', 'loop'] as const)('--mode %s', (mode) => {
    const urls = Array.from({ length: 20 }, (_, n) => `${base}/${n}.bin`)
    const items = batchDownloadSync(urls, { dir, mode, workers: 2 })
    expect(items.stats.ok).toBe(20)
    expectWhole(items)
  })

  test.each([
    ['onProgress', { onProgress: () => {} }, 'a function'],
    ['output', { output: () => {} }, 'a function'],
    ['hooks.afterItem', { hooks: { afterItem: () => {} } }, 'a function'],
    ['signal', { signal: new AbortController().signal }, 'a signal'],
    ['stdin', { stdin: (async function* () {})() }, 'asynchronous input'],
  ])('refuses %s', (name, options, what) => {
    const error = thrownBy(() => batchDownloadSync([], { dir, ...options }))
    expect(error).toMatchObject({
      code: 'ERR_MODE_UNSUPPORTED',
      message: `batchDownloadSync cannot take ${name}: it is ${what}`,
      context: { field: name },
    })
    expect(error.hint).toContain('batchDownload')
  })

  test('refuses asynchronous input and functions in the input', () => {
    async function* later() {
      yield `${base}/a.bin`
    }
    expect(thrownBy(() => batchDownloadSync(later() as never, { dir })).code).toBe('ERR_MODE_UNSUPPORTED')
    const withFunction = [{ url: `${base}/a.bin`, resolve: () => [] }] as never
    expect(thrownBy(() => batchDownloadSync(withFunction, { dir })).message).toContain(
      'the input[0].resolve: it is a function',
    )
  })

  test('works in a worker', async () => {
    const worker = new Worker(new URL('./sync-caller.ts', import.meta.url), {
      workerData: { urls: [`${base}/a.bin`, `${base}/b.bin`], dir },
      execArgv: [],
    })
    const answer = await new Promise<{ readonly ok: number }>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject)
    })
    expect(answer).toEqual({ ok: 2 })
  })
})
