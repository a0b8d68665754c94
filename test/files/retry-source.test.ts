import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanFolder, createTrawl, lookAtFolder, openRetry } from '../../src/index.ts'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())

test('in a program: look, try again, clean', async () => {
  const dir = newFolder()
  const report = join(newFolder(), 'report.jsonl')
  origin.route('/good.bin', respond.withRange(body('/good.bin', 100)))
  origin.route('/down.bin', respond.status(500))
  origin.route('/gone.bin', respond.status(404))
  await using trawl = await createTrawl({ retries: 0 })
  const urls = ['good', 'down', 'gone'].map((name) => `${origin.url}/${name}.bin`)
  await trawl.get(urls, { dir, report }).result
  const folder = await lookAtFolder(dir)
  expect(folder.status).toMatchObject({ finished: { count: 1 }, failed: { count: 2 } })
  expect([...folder.items()].map((item) => String(item.error?.code)).toSorted()).toEqual([
    'ERR_HTTP_NOT_FOUND',
    'ERR_HTTP_SERVER',
  ])
  folder.close()
  origin.route('/down.bin', respond.withRange(body('/down.bin', 100)))
  const left = await openRetry(report, { codes: new Set(['ERR_HTTP_SERVER']) })
  expect(left).toMatchObject({ count: 1, dir })
  const { stats } = await trawl.get([], { dir, tasks: left.tasks() }).result
  expect(stats).toMatchObject({ planned: 1, ok: 1 })
  expect(cleanFolder(dir, { dryRun: false }).parts.count).toBe(0)
  const after = await lookAtFolder(dir)
  expect(after.status).toMatchObject({ finished: { count: 2 }, failed: { count: 1 } })
  after.close()
})

test('a report is read by its lines: blank ones, a byte order mark of none, the last without an end', async () => {
  const path = join(newFolder(), 'r.jsonl')
  const line = (input: string, status: string): string => JSON.stringify({ input, status, bytes: 0 })
  writeFileSync(
    path,
    `\n${line('http://h/a', 'failed')}\r\n\n${line('http://h/b', 'ok')}\n${line('http://h/c', 'unfinished')}`,
  )
  const left = await openRetry(path)
  expect(left.count).toBe(2)
  const batches: unknown[] = []
  for await (const batch of left.tasks({ headers: { 'X-A': '1' }, split: 3 })) batches.push(...batch)
  expect(batches).toEqual([
    expect.objectContaining({
      locator: { kind: 'mirrors', places: [{ url: 'http://h/a' }] },
      headers: { 'x-a': '1' },
      split: 3,
    }),
    expect.objectContaining({ locator: { kind: 'mirrors', places: [{ url: 'http://h/c' }] } }),
  ])
  expect((await openRetry(path, { statuses: new Set(['unfinished']) })).count).toBe(1)
})
