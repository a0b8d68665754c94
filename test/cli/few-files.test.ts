import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../src/testing/index.ts'

let origin: FaultOrigin
let folder: string

beforeEach(async () => {
  origin = await createFaultOrigin()
  folder = mkdtempSync(join(tmpdir(), 'trawl-files-'))
})

afterEach(async () => {
  await origin.close()
  rmSync(folder, { recursive: true, force: true })
})

test('with few file descriptors fewer files are fetched at once, and none is lost', async () => {
  const count = 300
  const names = Array.from({ length: count }, (_, n) => `f${n}.bin`)
  for (const name of names) {
    const reply = respond.withRange(body(name, 3000))
    // Slow enough that many would be under way at once.
    origin.route(`/${name}`, async (request) => ({ ...(await reply(request)), latencyMs: 40 }))
  }
  const list = join(folder, 'list.txt')
  writeFileSync(list, names.map((name) => `${origin.url}/${name}\n`).join(''))
  const entry = new URL('../../src/cli/main.ts', import.meta.url).href
  const script = `const { main } = await import('${entry}'); await main(process.argv.slice(1))`
  const args = [
    'get',
    '--no-config',
    '-i',
    list,
    '-d',
    join(folder, 'out'),
    '-j',
    '100',
    '--max-per-host',
    '100',
  ]
  const run = spawn(
    'sh',
    ['-c', 'ulimit -n 60; exec node "$@"', 'sh', '--input-type=module', '-e', script, '--', ...args],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], HOME: folder } },
  )
  let stderr = ''
  run.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()))
  const [code] = (await once(run, 'close')) as [number | null]
  expect([code, stderr]).toEqual([0, expect.stringContaining('300 ok, 0 skipped, 0 failed of 300')])
  for (const name of names) {
    expect(readFileSync(join(folder, 'out', name)).equals(body(name, 3000).bytes())).toBe(true)
  }
}, 90_000)
