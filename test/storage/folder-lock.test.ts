import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { FolderLock } from '../../src/storage/index.ts'
import { tempFolders } from './temp-folder.ts'

const newFolder = tempFolders()
const lockIn = (folder: string): string => join(folder, 'lock')

function deadPid(): number {
  return spawnSync('node', ['-e', '0'], { timeout: 20_000, killSignal: 'SIGKILL' }).pid
}

function refusal(path: string): { code?: string; message?: string; hint?: string } {
  try {
    FolderLock.acquire(path).release()
    return {}
  } catch (error) {
    return error as { code: string; message: string; hint: string }
  }
}

test('one holder at a time, who is named; free again after release', () => {
  const path = lockIn(newFolder())
  const lock = FolderLock.acquire(path)
  expect(refusal(path)).toMatchObject({
    code: 'ERR_LOCKED',
    message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
  })
  lock.release()
  lock.release()
  expect(refusal(path)).toEqual({})
  expect(existsSync(path)).toBe(false)
})

test.each([
  ['of a process that is gone', () => JSON.stringify({ pid: deadPid(), host: hostname() })],
  [
    'of another process that had this number',
    () => JSON.stringify({ pid: process.pid, host: hostname(), startTicks: '1' }),
  ],
  ['without a word in it', () => ''],
  ['cut off', () => '{"pid":12'],
  ['that names nobody', () => 'null'],
])('a lock %s is taken over', (_title, text) => {
  const folder = newFolder()
  writeFileSync(lockIn(folder), text())
  const lock = FolderLock.acquire(lockIn(folder))
  expect(JSON.parse(readFileSync(lockIn(folder), 'utf8'))).toMatchObject({ pid: process.pid })
  expect(readdirSync(folder)).toEqual(['lock'])
  lock.release()
})

test('a lock of another machine is respected, and the way out is told', () => {
  const path = lockIn(newFolder())
  writeFileSync(path, JSON.stringify({ pid: 1, host: 'another-machine' }))
  expect(refusal(path)).toMatchObject({ code: 'ERR_LOCKED', hint: expect.stringContaining(`remove ${path}`) })
  expect(existsSync(path)).toBe(true)
})

test('a process that died while taking over is in the way for seconds only', () => {
  const path = lockIn(newFolder())
  writeFileSync(path, '')
  writeFileSync(`${path}.takeover`, '')
  expect(refusal(path)).toMatchObject({ code: 'ERR_LOCKED' })
  const longAgo = Date.now() / 1000 - 60
  utimesSync(`${path}.takeover`, longAgo, longAgo)
  expect(refusal(path)).toEqual({})
})

test.each(['a stale lock', 'no lock'])(
  'of many processes that find %s at one time, one gets it',
  async (found) => {
    const path = lockIn(newFolder())
    const module = resolve('src/storage/index.ts')
    const script = `
    const { FolderLock } = await import(${JSON.stringify(module)})
    process.stdout.write('ready\\n')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    try { FolderLock.acquire(${JSON.stringify(path)}); process.stdout.write('got\\n') }
    catch (error) { process.stdout.write(error.code + '\\n') }
    process.stdin.on('data', () => process.exit(0))`
    const children = Array.from({ length: 5 }, () =>
      spawn('node', ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    try {
      const said = (): Promise<string[]> =>
        Promise.all(children.map(async (child) => String((await once(child.stdout, 'data'))[0]).trim()))
      expect(await said()).toEqual(children.map(() => 'ready'))
      if (found === 'a stale lock') writeFileSync(path, JSON.stringify({ pid: deadPid(), host: hostname() }))
      const answers = said()
      for (const child of children) child.stdin.write('go\n')
      const sorted = (await answers).toSorted()
      expect(sorted).toEqual(['ERR_LOCKED', 'ERR_LOCKED', 'ERR_LOCKED', 'ERR_LOCKED', 'got'])
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  },
  60_000,
)
