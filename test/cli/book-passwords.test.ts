import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js'
import { beforeAll, expect, test } from 'vitest'
import { jpegPage } from '../books/book-origin.ts'
import { pagesOf } from '../books/make-book.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { runCli } from './run-cli.ts'
import { runMain } from './run-main.ts'

const folder = tempFolders()
const password = 'gehêim 12'
let scans = ''
let passwordFile = ''
let wrongFile = ''
let pages: readonly Buffer[] = []

beforeAll(async () => {
  const dir = folder()
  scans = join(dir, 'scans')
  mkdirSync(scans)
  pages = await Promise.all([1, 2, 3].map((n) => jpegPage(n)))
  for (const [i, page] of pages.entries()) writeFileSync(join(scans, `${i + 1}.jpg`), page)
  passwordFile = join(dir, 'password')
  wrongFile = join(dir, 'wrong')
  writeFileSync(passwordFile, `${password}\nnot this line\n`)
  writeFileSync(wrongFile, 'other\n')
})

describeWith(['qpdf'], 'an encrypted PDF under qpdf', () => {
  test('opens with the password of the file and no other; AES-256', async () => {
    const dir = folder()
    const made = await runMain(['book', scans, '-d', dir, '-o', 'a.pdf', '--password-file', passwordFile])
    expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
    const qpdf = (...args: readonly string[]) =>
      spawnSync('qpdf', [...args, join(dir, 'a.pdf')], { encoding: 'utf8' })
    expect(qpdf('--check').status).toBe(2)
    expect(qpdf(`--password=${password}`, '--check').status).toBe(0)
    const how = qpdf(`--password=${password}`, '--show-encryption').stdout
    expect(how).toContain('file encryption method: AESv3')
  })

  test('the password of the environment', async () => {
    const dir = folder()
    const env = { TRAWL_PASSWORD: 'abc' }
    expect((await runCli(['book', scans, '-d', dir, '-o', 'a.pdf'], { env })).code).toBe(0)
    expect(spawnSync('qpdf', ['--password=abc', '--check', join(dir, 'a.pdf')]).status).toBe(0)
  })
})

test('an encrypted ZIP is read by another program', async () => {
  const dir = folder()
  const args = ['book', scans, '-d', dir, '-f', 'zip', '-o', 'a.zip', '--password-file', passwordFile]
  expect((await runMain(args)).code).toBe(0)
  const reader = new ZipReader(new Uint8ArrayReader(readFileSync(join(dir, 'a.zip'))), { password })
  const found: Buffer[] = []
  for (const entry of await reader.getEntries()) {
    if (entry.directory || !entry.filename.endsWith('.jpg')) continue
    expect(entry.encrypted).toBe(true)
    found.push(Buffer.from(await entry.getData(new Uint8ArrayWriter())))
  }
  expect(found.map((bytes, i) => bytes.equals(pages[i] ?? Buffer.alloc(0)))).toEqual([true, true, true])
})

test('verify and pack need the password; pack may read with one and write without', async () => {
  const dir = folder()
  const args = ['book', scans, '-d', dir, '-f', 'pdf,zip', '--password-file', passwordFile]
  expect((await runMain(args)).code).toBe(0)
  const blind = await runMain(['verify', dir])
  expect(blind.code).toBe(4)
  expect(blind.stderr).toContain('it needs a password')
  expect((await runMain(args)).stderr).toContain('nothing new')
  const seeing = await runMain(['verify', dir, '--password-file', passwordFile])
  expect(`${seeing.code} ${seeing.stderr}`).toBe('0 ')
  for (const name of ['scans.pdf', 'scans.zip']) {
    const source = join(dir, name)
    const out = join(dir, `${name}.cbz`)
    expect((await runMain(['pack', source, '-f', 'cbz', '-o', out])).code).toBe(2)
    expect(
      (await runMain(['pack', source, '-f', 'cbz', '-o', out, '--open-password-file', wrongFile])).code,
    ).toBe(2)
    const read = await runMain(['pack', source, '-f', 'cbz', '-o', out, '--open-password-file', passwordFile])
    expect(`${read.code} ${read.stderr}`).toMatch(/^0 /)
    const found = await pagesOf(out)
    expect(found.map((bytes, i) => bytes.equals(pages[i] ?? Buffer.alloc(0)))).toEqual([true, true, true])
  }
})

test('what cannot be encrypted is refused before anything is made', async () => {
  const dir = folder()
  for (const more of [
    ['-f', 'cbz'],
    ['-f', 'pdf', '--pdf-a', '2b'],
    ['-f', 'pdf,epub'],
  ]) {
    const refused = await runMain(['book', scans, '-d', dir, '--password-file', passwordFile, ...more])
    expect(refused.code, more.join(' ')).toBe(2)
  }
  expect((await runMain(['book', scans, '-d', dir, '--password-file', join(dir, 'none')])).code).toBe(2)
})
