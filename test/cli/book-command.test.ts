import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { jpegPage, setPages, useBookOrigin } from '../books/book-origin.ts'
import { openPack } from '../../src/pack/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { runMain } from './run-main.ts'

const origin = useBookOrigin()
const folder = tempFolders()
const entry = new URL('../../src/cli/main.ts', import.meta.url).href

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line in a process of its own; `kill` ends it with SIGKILL. */
function trawl(args: readonly string[], options: { readonly kill?: Promise<void> } = {}): Promise<Ended> {
  const script = `const { main } = await import(${JSON.stringify(entry)}); await main(process.argv.slice(1))`
  const child = spawn('node', ['--input-type=module', '-e', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 25_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  void options.kill?.then(() => child.kill('SIGKILL'))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

function listFile(dir: string, list: { readonly text: string }): string {
  const path = join(dir, 'pages.txt')
  writeFileSync(path, list.text)
  return path
}

const finals = (dir: string): readonly string[] =>
  existsSync(dir) ? readdirSync(dir).filter((name) => name !== '.trawl') : []

test('killed in the middle: no final file; the next run fetches only what is missing', async () => {
  const { pages, list } = await setPages(origin, 8)
  const dir = folder()
  const out = join(dir, 'out')
  const path = listFile(dir, list)
  const fourth = Promise.withResolvers<void>()
  for (let i = 5; i <= 8; i++) origin.set(`/p${i}.jpg`, () => fourth.resolve())
  const staged = (): number => {
    const staging = join(out, '.trawl', 'staging')
    return existsSync(staging)
      ? readdirSync(staging).flatMap((id) => finals(join(staging, id, 'pages'))).length
      : 0
  }
  const kill = fourth.promise.then(async () => {
    for (let i = 0; i < 200 && staged() < 4; i++) await new Promise((resolve) => setTimeout(resolve, 20))
  })
  const killed = await trawl(['book', path, '-d', out, '-f', 'pdf,cbz', '-j', '8'], { kill })
  expect(killed.code).toBeNull()
  expect(finals(out)).toEqual([])
  expect(staged()).toBe(4)
  for (const [i, page] of pages.entries()) origin.set(`/p${i + 1}.jpg`, page)
  origin.requests.length = 0
  const again = await trawl(['book', path, '-d', out, '-f', 'pdf,cbz'])
  expect(again.code).toBe(0)
  expect([...origin.requests].sort()).toEqual(['/p5.jpg', '/p6.jpg', '/p7.jpg', '/p8.jpg'])
  expect(finals(out).toSorted()).toEqual(['pages.cbz', 'pages.pdf'])
})

test('exit codes: 1 for missing pages with each named, 2 for usage', async () => {
  const { list } = await setPages(origin, 3)
  origin.set('/p2.jpg', (_, response) => response.writeHead(404).end())
  const dir = folder()
  const path = listFile(dir, list)
  const out = join(dir, 'out')
  const incomplete = await trawl(['book', path, '-d', out])
  expect(incomplete.code).toBe(1)
  expect(incomplete.stderr).toContain(`${origin.url}/p2.jpg`)
  expect(finals(out)).toEqual([])
  expect((await trawl(['book', 'no such thing at all'])).code).toBe(2)
})

test('exit code 4 for a failed check, which names the page', async () => {
  const { list } = await setPages(origin, 3)
  const dir = folder()
  const path = listFile(dir, list)
  const out = join(dir, 'out')
  expect((await trawl(['book', path, '-d', out])).code).toBe(0)
  expect((await trawl(['verify', out])).code).toBe(0)
  const bytes = readFileSync(join(out, 'pages.pdf'))
  const at = bytes.indexOf(await jpegPage(2)) + 300
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(join(out, 'pages.pdf'), bytes)
  const checked = await trawl(['verify', out])
  expect(checked.code).toBe(4)
  expect(checked.stderr).toContain('page 2')
})

test('--dry-run and --print-fields show names with real values, and fetch and write nothing', async () => {
  const { list } = await setPages(origin, 3)
  const dir = folder()
  const out = join(dir, 'out')
  const template = '{author}/{title:upper} ({pages:03})'
  const args = [
    'book',
    listFile(dir, list),
    '-d',
    out,
    '--author',
    'A. B.',
    '--title',
    'Work',
    '--name',
    template,
  ]
  const shown = await trawl([...args, '--print-fields', '-f', 'pdf,cbz'])
  expect(shown.code).toBe(0)
  expect(shown.stdout).toContain(`${join(out, 'A. B', 'WORK (003).pdf')} (3 pages, image-list)`)
  expect(shown.stdout).toContain('{author}: A. B.')
  expect((await trawl([...args, '--dry-run'])).stdout).toContain('WORK (003).pdf')
  expect(origin.requests).toEqual([])
  expect(existsSync(out)).toBe(false)
})

test('--dry-run shows the works that can be had, and fails for those that cannot', async () => {
  const list = join(folder(), 'one.txt')
  writeFileSync(list, `${origin.url}/1.jpg\n`)
  const shown = await runMain(['book', `${origin.url}/none/`, list, `${origin.url}/gone/`, '--dry-run'])
  expect(shown.code).toBe(1)
  expect(shown.stdout.toString()).toContain('one.pdf (1 page, image-list)')
  expect(shown.stderr).toContain('/none/ answered 404')
  expect(shown.stderr).toContain('/gone/ answered 404')
})

test('-o names the format by its extension, where -f does not', async () => {
  const dir = folder()
  mkdirSync(join(dir, 'scans'))
  writeFileSync(join(dir, 'scans', '1.jpg'), await jpegPage(1))
  const scans = join(dir, 'scans')
  const book = await runMain(['book', scans, '-d', dir, '-o', 'b.cbz'])
  expect(book.stderr).toContain(`made ${join(dir, 'b.cbz')} (1 page)`)
  expect((await runMain(['pack', scans, '-o', join(dir, 'p.epub')])).code).toBe(0)
  expect((await runMain(['pack', scans, '-o', join(dir, 'q.epub'), '-f', 'zip'])).code).toBe(0)
  const kept = await runMain(['pack', scans, '-o', join(dir, 'p.epub'), '--on-exists', 'skip'])
  expect(kept).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing was made') })
  expect(readdirSync(dir).toSorted()).toEqual(['.trawl', 'b.cbz', 'p.epub', 'q.epub', 'scans'])
  const formats = ['b.cbz', 'p.epub', 'q.epub'].map(async (name) => {
    const reader = await openPack(join(dir, name))
    await reader.close()
    return reader.format
  })
  expect((await Promise.all(formats)).slice(0, 2)).toEqual(['cbz', 'epub'])
  expect(readFileSync(join(dir, 'q.epub')).includes('mimetype')).toBe(false)
})

test('pack: --dry-run writes nothing, --json gives one object a container, no such input is exit code 2', async () => {
  const dir = folder()
  const scans = join(dir, 'scans')
  mkdirSync(scans)
  for (const n of [1, 2]) writeFileSync(join(scans, `${n}.jpg`), await jpegPage(n))
  const out = join(dir, 'made', 'x.cbz')
  const dry = await runMain(['pack', scans, '-o', out, '--dry-run'])
  expect(dry).toMatchObject({ code: 0, stderr: `would make ${out} (2 pages)\n` })
  expect(existsSync(join(dir, 'made'))).toBe(false)
  const made = await runMain(['pack', scans, '-o', out, '--json'])
  expect(JSON.parse(made.stdout.toString())).toEqual({ path: out, pages: 2 })
  expect(made.stderr).toBe('')
  const none = await runMain(['pack', join(dir, 'nothing'), '-o', out])
  expect(none.code).toBe(2)
  expect(none.stderr).toContain('it is not there (ENOENT)\n       Check that the path exists')
})

test('verify: --report has a line for each file; what is not there or not ours is exit code 2', async () => {
  const { list } = await setPages(origin, 2)
  const dir = folder()
  const out = join(dir, 'out')
  expect((await runMain(['book', listFile(dir, list), '-d', out])).code).toBe(0)
  const report = join(dir, 'checked.jsonl')
  expect((await runMain(['verify', out, '--report', report])).code).toBe(0)
  const [line = '', ...others] = readFileSync(report, 'utf8').trim().split('\n')
  expect(JSON.parse(line)).toMatchObject({ path: join(out, 'pages.pdf'), faults: [] })
  expect(others).toEqual([])
  const missing = await runMain(['verify', join(dir, 'nothing')])
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('Check that the path exists')])
  const foreign = await runMain(['verify', join(dir, 'pages.txt')])
  expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringContaining('no records of trawl')])
})

test('an archive or password file in no folder: told before a page is fetched', async () => {
  const { list } = await setPages(origin, 2)
  const dir = folder()
  const book = ['book', listFile(dir, list), '-d', join(dir, 'out')]
  const none = join(dir, 'none', 'file')
  const archive = await runMain([...book, '--archive', none])
  expect([archive.code, archive.stderr]).toEqual([3, expect.stringContaining('another file with --archive')])
  const password = await runMain([...book, '--password-file', none])
  expect([password.code, password.stderr]).toEqual([2, expect.stringContaining('it is not there (ENOENT)')])
  expect(origin.requests).toEqual([])
})

test('pack makes another format of a folder, with transforms; sites list names the sources', async () => {
  const dir = folder()
  mkdirSync(join(dir, 'scans'))
  for (const n of [1, 2, 10]) writeFileSync(join(dir, 'scans', `${n}.jpg`), await jpegPage(n))
  const out = join(dir, 'made', 'x.cbz')
  const packed = await trawl([
    'pack',
    join(dir, 'scans'),
    '-f',
    'cbz',
    '-o',
    out,
    '--convert',
    'png',
    '--pages',
    '2-',
  ])
  expect(packed).toMatchObject({ code: 0 })
  expect(packed.stderr).toContain('(2 pages)')
  expect(readFileSync(out).subarray(0, 2).toString()).toBe('PK')
  expect((await trawl(['sites', 'list'])).stdout).toContain('iiif: ')
})
