import * as fc from 'fast-check'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfinedRoot, confine, DirectoryCache, safeRelativePath } from '../../../src/storage/naming/index.ts'

let base = ''
let root = ''

beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'trawl-confine-')))
  root = join(base, 'root')
  await mkdir(join(root, 'sub'), { recursive: true })
  await mkdir(join(base, 'outside'))
  await symlink(join(base, 'outside'), join(root, 'out'))
  await symlink(join(root, 'sub'), join(root, 'in'))
  await symlink(join(base, 'nowhere'), join(root, 'broken'))
})

afterEach(async () => {
  await rm(base, { recursive: true })
})

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => value,
    (error: { code: string }) => error.code,
  )
}

describe('safeRelativePath', () => {
  it.each([
    ['a/b.txt', 'a/b.txt'],
    ['a\\b.txt', 'a/b.txt'],
    ['./a//b/', 'a/b'],
    ['.config/-x', '.config/-x'],
    ['a/CON/b?.txt', 'a/_CON/b_.txt'],
    ['a/ .trawl', 'a/_.trawl'],
    ['a/...', 'a/_'],
  ])('makes %j %j', (text, expected) => {
    expect(safeRelativePath(text)).toBe(expected)
  })

  it.each([
    '',
    '.',
    './',
    '..',
    '../a',
    'a/..',
    'a/../b',
    '/a',
    '\\a',
    '\\\\server\\share\\a',
    '//server/a',
    'C:\\a',
    'c:a',
    '..\\a',
    'a\\..\\..\\b',
    ' .. /a',
    '.trawl',
    '.trawl/journal',
    '.TRAWL./x',
    './.trawl/x',
  ])('refuses %j', (text) => {
    expect(() => safeRelativePath(text)).toThrow(expect.objectContaining({ code: 'ERR_PATH_UNSAFE' }))
  })

  it('never leaves the root, whatever it is given', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\\', 'C:', '\0', ' ', '..\u200b', '.\u202e.', '%2e%2e'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', '\\', ''), (parts, separator) => {
        let path: string
        try {
          path = safeRelativePath(parts.join(separator))
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_PATH_UNSAFE' })
          return
        }
        const way = relative(root, join(root, path))
        expect(way.startsWith('..') && /^\.\.(\/|$)/.test(way)).toBe(false)
        expect(way).toBe(path)
        expect(safeRelativePath(path)).toBe(path)
      }),
      { numRuns: 400 },
    )
  })
})

describe('confine', () => {
  it('gives the path below the root, links inside it resolved', async () => {
    expect(await confine(root, 'a.txt')).toBe(join(root, 'a.txt'))
    expect(await confine(root, 'sub/a.txt')).toBe(join(root, 'sub', 'a.txt'))
    expect(await confine(root, 'new/deep/a.txt')).toBe(join(root, 'new', 'deep', 'a.txt'))
    expect(await confine(root, 'in/a.txt')).toBe(join(root, 'sub', 'a.txt'))
    expect(await confine(root, 'sub/../a.txt')).toBe(join(root, 'a.txt'))
  })

  it.each([
    'out/a.txt',
    'out/new/a.txt',
    'broken/a.txt',
    '../a.txt',
    'sub/../../a',
    '/etc/x',
    '.',
    '',
    '..',
    'a\0b',
  ])('refuses %j', async (path) => {
    expect(await codeOf(confine(root, path))).toBe('ERR_PATH_UNSAFE')
  })

  it('takes a root that is a link, or is not there yet', async () => {
    await symlink(root, join(base, 'link'))
    expect(await confine(join(base, 'link'), 'sub/a')).toBe(join(root, 'sub', 'a'))
    expect(await confine(join(base, 'later', 'root'), 'sub/a')).toBe(join(base, 'later', 'root', 'sub', 'a'))
  })

  it('tells a file in the way', async () => {
    await writeFile(join(root, 'file'), '')
    expect(await codeOf(confine(root, 'file/b/a'))).toBe('ERR_NOT_DIRECTORY')
  })
})

describe('ConfinedRoot', () => {
  it('looks once at a folder', async () => {
    const confined = new ConfinedRoot(root)
    expect(confined.known('sub/a')).toBeUndefined()
    expect(await confined.resolve('sub/a')).toBe(join(root, 'sub', 'a'))
    expect(confined.known('sub/b')).toBe(join(root, 'sub', 'b'))
    expect(await confined.resolve('in/a')).toBe(join(root, 'sub', 'a'))
    expect(confined.known('in/b')).toBe(join(root, 'sub', 'b'))
    confined.forget('sub')
    expect(confined.known('sub/b')).toBeUndefined()
    expect(confined.known('in/b')).toBeDefined()
    confined.forget()
    expect(confined.known('in/b')).toBeUndefined()
  })

  it('does not remember a folder that is not there, since it may become a link', async () => {
    const confined = new ConfinedRoot(root)
    expect(await confined.resolve('new/a')).toBe(join(root, 'new', 'a'))
    await symlink(join(base, 'outside'), join(root, 'new'))
    expect(await codeOf(confined.resolve('new/a'))).toBe('ERR_PATH_UNSAFE')
  })

  it('never answers for a name that climbs', async () => {
    const confined = new ConfinedRoot(root)
    await confined.resolve('sub/a')
    for (const path of ['sub/..', 'sub/.', 'sub/', 'sub/a\0', 'sub/../..', 'out/x']) {
      expect(confined.known(path)).toBeUndefined()
    }
    expect(await codeOf(confined.resolve('sub/../..'))).toBe('ERR_PATH_UNSAFE')
  })

  it('holds a bounded number of folders', async () => {
    const confined = new ConfinedRoot(root, { maxFolders: 1 })
    await confined.resolve('sub/a')
    await confined.resolve('a')
    expect(confined.known('sub/a')).toBeUndefined()
    expect(confined.known('b')).toBe(root + sep + 'b')
  })
})

describe('DirectoryCache', () => {
  it('makes folders once and tells the topmost one that is new', async () => {
    const folders = new DirectoryCache()
    const path = join(root, 'a', 'b', 'c')
    const both = await Promise.all([folders.ensure(path), folders.ensure(path)])
    expect(both).toEqual([join(root, 'a'), join(root, 'a')])
    expect(folders.has(path)).toBe(true)
    expect(await folders.ensure(path)).toBeUndefined()
    await rm(join(root, 'a'), { recursive: true })
    expect(await folders.ensure(path)).toBeUndefined()
    folders.forget(path)
    expect(await folders.ensure(path)).toBe(join(root, 'a'))
  })

  it('names the file that stands in the way, and forgets the failure', async () => {
    const folders = new DirectoryCache()
    await writeFile(join(root, 'file'), '')
    for (const path of [join(root, 'file'), join(root, 'file', 'x', 'y')]) {
      await expect(folders.ensure(path)).rejects.toMatchObject({
        code: 'ERR_NOT_DIRECTORY',
        context: { path: join(root, 'file') },
      })
    }
    await rm(join(root, 'file'))
    expect(await folders.ensure(join(root, 'file', 'x', 'y'))).toBe(join(root, 'file'))
  })

  it('tells a name that is too long', async () => {
    expect(await codeOf(new DirectoryCache().ensure(join(root, 'x'.repeat(300))))).toBe('ERR_NAME_TOO_LONG')
  })
})
