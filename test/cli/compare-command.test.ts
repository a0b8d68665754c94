import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Comparison } from '../../src/session/index.ts'
import { body, faults, respond, withFaults } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { useOrigin } from './cli-origin.ts'
import { runCli, startCli } from './run-cli.ts'

const newFolder = tempFolders()
const origin = await useOrigin((served) => {
  served.route('/*', (request) => respond.withRange(body(request.path, 2000))(request))
  served.route('/missing.bin', respond.status(404))
})

let folder: string
beforeEach(() => {
  folder = newFolder()
  writeFileSync(
    join(folder, 'list.txt'),
    Array.from({ length: 20 }, (_, n) => `${origin.url}/${n}.bin\n`).join(''),
  )
})

const flags = ['--no-config', '--workers', '2', '--retries', '0'] as const

describe('trawl compare', () => {
  test('downloads the list in each way, tells a table and draws an image', async () => {
    const end = await runCli(['compare', 'list.txt', '--plot', 'plot.svg', ...flags], { cwd: folder })
    expect(end).toMatchObject({ code: 0, signal: null })
    const lines = end.stdout.toString().split('\n')
    expect(lines[0]).toMatch(/^mode +files\/min +speed +time +ok +failed +against loop$/)
    expect(lines.slice(1, 5).map((line) => line.split(' ')[0])).toEqual([
      'loop',
      'threads',
      'processes',
      'async',
    ])
    for (const line of lines.slice(1, 5)) expect(line).toMatch(/ 20 +0 +[\d.]+x$/)
    expect(end.stdout.toString()).toContain('trawl 0.1.0')
    expect(readFileSync(join(folder, 'plot.svg'), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/)
    expect(origin.requests).toHaveLength(80)
    // What was downloaded is gone again.
    expect(readdirSync(folder).toSorted()).toEqual(['list.txt', 'plot.svg'])
  })

  test('some ways, several rounds, JSON; no image that is there is written over', async () => {
    writeFileSync(join(folder, 'compare.svg'), 'mine')
    const args = ['compare', 'list.txt', '--modes', 'async,loop', '--rounds', '2', '--json', ...flags]
    const end = await runCli(args, { cwd: folder })
    expect(end.code).toBe(0)
    const told = JSON.parse(end.stdout.toString()) as Comparison & { readonly plot: string }
    expect(told.runs.map((run) => [run.mode, run.round, run.ok, run.sizeBytes])).toEqual([
      ['async', 1, 20, 40_000],
      ['loop', 1, 20, 40_000],
      ['async', 2, 20, 40_000],
      ['loop', 2, 20, 40_000],
    ])
    expect(told).toMatchObject({ version: 1, list: 'list.txt', workers: 2, plot: 'compare (1).svg' })
    expect(readFileSync(join(folder, 'compare.svg'), 'utf8')).toBe('mine')
  })

  test('a list on standard input, folders below --dir', async () => {
    const end = await runCli(
      ['compare', '-', '--modes', 'async,loop', '-d', 'work', '--plot', 'p.svg', ...flags],
      { cwd: folder, stdin: `${origin.url}/a.bin\n${origin.url}/b.bin\n` },
    )
    expect(end.code).toBe(0)
    expect(end.stdout.toString().match(/ 2 +0 /g)).toHaveLength(2)
    expect(readdirSync(join(folder, 'work'))).toEqual([])
  })

  test('failures are counted, and the exit code says so', async () => {
    writeFileSync(join(folder, 'list.txt'), `${origin.url}/a.bin\n${origin.url}/missing.bin\n`)
    const end = await runCli(['compare', 'list.txt', '--modes', 'async', '--plot', 'p.svg', ...flags], {
      cwd: folder,
    })
    expect(end.code).toBe(1)
    expect(end.stdout.toString()).toMatch(/async .* 1 +1 +1\.0x/)
    expect(readFileSync(join(folder, 'p.svg'), 'utf8')).toContain('1 failed')
  })

  test.each([
    [['compare', 'no-such-list'], 2, /no-such-list/],
    [['compare', 'list.txt', '--modes', 'async,magic'], 2, /magic/],
    [['compare', 'list.txt', '--rounds', '0'], 2, /rounds/],
    [['compare', 'list.txt', '--modes', 'async', '--plot', '/proc/none/p.svg'], 3, /plot/],
    [['compare'], 2, /LIST/],
  ])('%j is refused', async (args, code, says) => {
    const end = await runCli([...args, '--no-config'], { cwd: folder })
    expect(end.code).toBe(code)
    expect(end.stderr).toMatch(says)
    expect(readdirSync(folder)).toEqual(['list.txt'])
  })

  test('a plot that could not be written is told before anything is fetched', async () => {
    const end = await runCli(['compare', 'list.txt', '--plot', 'none/plot.svg', ...flags], { cwd: folder })
    expect(end.code).toBe(3)
    expect(end.stderr).toContain('--plot: cannot write')
    expect(origin.requests).toHaveLength(0)
  })

  test('Ctrl-C ends it and leaves nothing behind', async () => {
    origin.route('/*', withFaults(respond.withRange(body('x', 2000)), faults.latency(60_000)))
    const running = startCli(['compare', 'list.txt', '--modes', 'async', ...flags], { cwd: folder })
    for (let tries = 0; tries < 2000 && origin.requests.length === 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    running.child.kill('SIGINT')
    expect(await running.end).toMatchObject({ code: 130, signal: null })
    expect(readdirSync(folder)).toEqual(['list.txt'])
  })
})
