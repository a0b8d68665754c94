import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CommandRunner } from '../../../src/cli/exec/command-runner.ts'
import { fillCommand } from '../../../src/cli/exec/fill-command.ts'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../../src/testing/index.ts'
import { tempFolders } from '../../storage/temp-folder.ts'
import { runCli } from '../run-cli.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) =>
    request.path.includes('gone')
      ? respond.status(404)(request)
      : respond.withRange(body(request.path, 1000))(request),
  )
})

/** A program that notes its arguments and what it was told, one JSON line a call. */
function noter(code = 0): { readonly command: string; readonly calls: () => readonly Call[] } {
  const folder = newFolder()
  const script = join(folder, 'note.mjs')
  const log = join(folder, 'log')
  writeFileSync(
    script,
    `import { appendFileSync } from 'node:fs'
const told = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('TRAWL_')))
appendFileSync(${JSON.stringify(log)}, JSON.stringify({ args: process.argv.slice(2), told }) + '\\n')
console.log('said on standard output')
process.exitCode = ${code}`,
  )
  return {
    command: `node ${script}`,
    calls: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Call)
        : [],
  }
}

interface Call {
  readonly args: readonly string[]
  readonly told: Readonly<Record<string, string>>
}

describe('--exec', () => {
  test('runs for each file that was fetched, with its path and facts; once at the end', async () => {
    const dir = newFolder()
    const item = noter()
    const end = noter()
    const { code, stdout, stderr } = await runCli([
      'get',
      ...['a.bin', 'gone.bin', 'b.bin'].map((name) => `${origin.url}/${name}`),
      '-d',
      dir,
      '--exec',
      `${item.command} {} --from={url}`,
      '--exec-end',
      end.command,
      '--json',
      '--digest',
      'sha-256',
    ])
    expect(code).toBe(1)
    const calls = item.calls().toSorted((a, b) => (a.args[0] ?? '').localeCompare(b.args[0] ?? '', 'en'))
    expect(calls.map((call) => call.args)).toEqual([
      [join(dir, 'a.bin'), `--from=${origin.url}/a.bin`],
      [join(dir, 'b.bin'), `--from=${origin.url}/b.bin`],
    ])
    expect(calls[0]?.told).toMatchObject({
      TRAWL_PATH: join(dir, 'a.bin'),
      TRAWL_NAME: 'a.bin',
      TRAWL_DIR: dir,
      TRAWL_URL: `${origin.url}/a.bin`,
      TRAWL_STATUS: 'ok',
      TRAWL_BYTES: '1000',
      TRAWL_HTTP_STATUS: '200',
      TRAWL_CODE: '',
    })
    expect(calls[0]?.told['TRAWL_DIGEST']).toMatch(/^sha-256=[0-9a-f]{64}$/)
    expect(end.calls()).toHaveLength(1)
    expect(end.calls()[0]?.told).toMatchObject({ TRAWL_STATUS: 'failed', TRAWL_OK: '2', TRAWL_FAILED: '1' })
    // Standard output is for the events alone.
    for (const line of stdout.toString().trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow()
    expect(stderr).toContain('said on standard output')
  })

  test('runs for the ends that are asked for', async () => {
    const dir = newFolder()
    const { command, calls } = noter()
    const urls = ['a.bin', 'gone.bin'].map((name) => `${origin.url}/${name}`)
    const flags = ['-d', dir, '--exec', `${command} {status} {}`, '--exec-on', 'failed,skipped']
    await runCli(['get', ...urls, ...flags])
    await runCli(['get', ...urls, ...flags])
    expect(calls().map((call) => call.args)).toEqual([
      ['failed', ''],
      ['skipped', join(dir, 'a.bin')],
      ['failed', ''],
    ])
    expect(calls()[0]?.told).toMatchObject({ TRAWL_CODE: 'ERR_HTTP_NOT_FOUND', TRAWL_HTTP_STATUS: '404' })
  })

  test('is no shell: names of servers are arguments, whatever is in them', async () => {
    const dir = newFolder()
    const { command, calls } = noter()
    const name = '$(touch pwned);`touch pwned` & touch pwned #.bin'
    origin.route(
      '/*',
      respond.whole(body('x', 10), { headers: { 'content-disposition': `attachment; filename="${name}"` } }),
    )
    const { code } = await runCli(['get', `${origin.url}/x`, '-d', dir, '--exec', `${command} {} x{name}x`], {
      cwd: dir,
    })
    expect(code).toBe(0)
    const [call] = calls()
    expect(call?.args).toHaveLength(2)
    expect(call?.args[0]?.startsWith(`${dir}/`)).toBe(true)
    expect(readdirSync(dir).filter((each) => each !== '.trawl')).toEqual([call?.told['TRAWL_NAME']])
  })

  test('that fails or is not there is told; the files are there and the exit code is theirs', async () => {
    const dir = newFolder()
    const { command } = noter(3)
    const url = `${origin.url}/a.bin`
    const failing = await runCli(['get', url, '-d', dir, '--exec', `${command} {}`])
    expect(failing).toMatchObject({ code: 0 })
    expect(failing.stderr).toContain(`ended with 3: ${join(dir, 'a.bin')}`)
    const missing = await runCli(['get', url, '-d', newFolder(), '--exec', 'no-such-program-here {}'])
    expect(missing.code).toBe(0)
    expect(missing.stderr).toContain('no-such-program-here cannot be run')
    expect(existsSync(join(dir, 'a.bin'))).toBe(true)
  })

  test('with an open quote is refused before anything starts', async () => {
    const { code, stderr } = await runCli([
      'get',
      `${origin.url}/a.bin`,
      '--exec',
      'mv {} "x',
      '-d',
      newFolder(),
    ])
    expect(code).toBe(2)
    expect(stderr).toContain('--exec')
    expect(origin.requests).toHaveLength(0)
  })
})

describe('commands', () => {
  test('are never more at once than allowed, and all have ended when the runner has settled', async () => {
    let active = 0
    let most = 0
    let ended = 0
    const runner = new CommandRunner({
      atOnce: 3,
      onFailure: () => {},
      run: async () => {
        most = Math.max(most, ++active)
        await new Promise((resolve) => setTimeout(resolve, 2))
        active--
        ended++
        return { code: 0 }
      },
    })
    for (let n = 0; n < 20; n++) await runner.start(['x'], {})
    await runner.settle()
    expect([most, ended]).toEqual([3, 20])
  })

  test('are filled word by word; braces that mean nothing stay', () => {
    const facts = { path: '/a b/{url}', url: 'http://x/', code: undefined }
    expect(fillCommand(['{}', '{path}{url}', '{nothing} {', '{code}', "awk '{print}'"], facts)).toEqual([
      '/a b/{url}',
      '/a b/{url}http://x/',
      '{nothing} {',
      '',
      "awk '{print}'",
    ])
  })
})
