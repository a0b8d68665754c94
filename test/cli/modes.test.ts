import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { body, faults, respond, withFaults } from '../../src/testing/index.ts'
import type { Behaviour } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { fileNames, until, useOrigin } from './cli-origin.ts'
import { runCli, startCli } from './run-cli.ts'

const newFolder = tempFolders()
const sized =
  (sizeBytes: number): Behaviour =>
  (request) =>
    respond.withRange(body(request.path, sizeBytes))(request)
const origin = await useOrigin((served) => {
  served.route('/*', sized(4000))
})

const flags = ['--no-config', '--retry-delay', '1ms'] as const

function listOf(folder: string, count: number): string {
  const list = join(folder, 'list.txt')
  writeFileSync(list, Array.from({ length: count }, (_, n) => `${origin.url}/${n}.bin\n`).join(''))
  return list
}

function expectWhole(dir: string, sizeBytes: number): void {
  for (const name of fileNames(dir)) {
    expect(readFileSync(join(dir, name)).equals(body(`/${name}`, sizeBytes).bytes()), name).toBe(true)
  }
}

describe.each(['threads', 'processes'])('trawl get --mode %s', (mode) => {
  const way = ['--mode', mode, '--workers', '2'] as const

  test('a list', async () => {
    const folder = newFolder()
    const dir = join(folder, 'out')
    const list = listOf(folder, 300)
    const end = await runCli(['get', '-i', list, '-d', dir, ...flags, ...way], { cwd: folder })
    expect(end).toMatchObject({ code: 0, signal: null })
    expect(end.stderr).toContain('300 ok, 0 skipped, 0 failed of 300')
    expect(fileNames(dir)).toHaveLength(300)
    expectWhole(dir, 4000)
    expect(origin.requests).toHaveLength(300)
    const again = await runCli(['get', '-i', list, '-d', dir, ...flags, ...way], { cwd: folder })
    expect(again.stderr).toContain('0 ok, 300 skipped, 0 failed of 300')
    expect(origin.requests).toHaveLength(300)
  })

  test('names by a template of headers, times of the server', async () => {
    const folder = newFolder()
    origin.route('/*', (request) =>
      respond.whole(body(request.path, 100), { headers: { 'X-Kind': 'letters' } })(request),
    )
    const name = '{header.x-kind}/{stem}.{ext}'
    const end = await runCli(
      ['get', `${origin.url}/a.txt`, '-d', folder, '--name', name, '--remote-time', ...flags, ...way],
      { cwd: folder },
    )
    expect(end.code).toBe(0)
    expect(readFileSync(join(folder, 'letters/a.txt')).equals(body('/a.txt', 100).bytes())).toBe(true)
  })

  test('the first Ctrl-C, which reaches all of the group, drains; the next run does the rest', async () => {
    const folder = newFolder()
    const dir = join(folder, 'out')
    const list = listOf(folder, 80)
    origin.route('/*', withFaults(sized(4000), faults.latency(30)))
    const args = ['get', '-i', list, '-d', dir, '--max-per-host', '4', ...flags, ...way]
    const running = startCli(args, { cwd: folder, detached: true })
    await until(() => origin.requests.length >= 10)
    process.kill(-(running.child.pid ?? 0), 'SIGINT')
    const end = await running.end
    expect(end).toMatchObject({ code: 130, signal: null })
    expect(end.stderr).not.toContain('a worker died')
    expectWhole(dir, 4000)
    const asked = origin.requests.length
    expect(fileNames(dir)).toHaveLength(asked)
    expect((await runCli(args, { cwd: folder })).code).toBe(0)
    expect(fileNames(dir)).toHaveLength(80)
    expect(origin.requests).toHaveLength(80)
    expectWhole(dir, 4000)
  })

  test('the second Ctrl-C ends it at once', async () => {
    const folder = newFolder()
    origin.route('/*', withFaults(sized(4000), faults.latency(60_000)))
    const running = startCli(['get', '-i', listOf(folder, 20), '-d', folder, ...flags, ...way], {
      cwd: folder,
      detached: true,
    })
    await until(() => origin.requests.length >= 4)
    process.kill(-(running.child.pid ?? 0), 'SIGINT')
    // Two signals that come together are one.
    await until(() => running.stderr().includes('interrupt again'))
    process.kill(-(running.child.pid ?? 0), 'SIGINT')
    expect(await running.end).toMatchObject({ code: 130, signal: null })
    expect(fileNames(folder)).toEqual(['list.txt'])
  })

  test(
    'kill -9 at any moment: the next run finishes, no wrong byte under a final name',
    { timeout: 120_000 },
    async () => {
      const folder = newFolder()
      const dir = join(folder, 'out')
      const list = listOf(folder, 200)
      const size = 30_000
      origin.route('/*', withFaults(sized(size), faults.latency(5)))
      const args = ['get', '-i', list, '-d', dir, '--max-per-host', '8', ...flags, ...way]
      for (const asked of [20, 90]) {
        const running = startCli(args, { cwd: folder })
        await until(() => origin.requests.length >= asked)
        running.child.kill('SIGKILL')
        await running.end
        expectWhole(dir, size)
      }
      const end = await runCli(args, { cwd: folder })
      expect(end.code).toBe(0)
      expect(fileNames(dir)).toHaveLength(200)
      expectWhole(dir, size)
      expect(origin.requests.length).toBeLessThanOrEqual(200 + 2 * 2 * 8)
      expect(readdirSync(join(dir, '.trawl/parts'))).toEqual([])
    },
  )

  test('standard output is refused, with what to use', async () => {
    const end = await runCli(['get', `${origin.url}/a.bin`, '-o', '-', ...flags, ...way])
    expect(end.code).toBe(2)
    expect(end.stderr).toContain(`--mode ${mode} does not work with bytes that are handed on as they come`)
    expect(end.stderr).toContain('Use --mode async')
    expect(origin.requests).toHaveLength(0)
  })
})

test('trawl dataset --mode threads is refused, with what to use', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'table.csv'), `url\n${origin.url}/a.jpg\n`)
  const end = await runCli(['dataset', 'table.csv', '-d', 'out', '--mode', 'threads', '--no-config'], {
    cwd: folder,
  })
  expect(end.code).toBe(2)
  expect(end.stderr).toContain('Use --mode processes')
})
