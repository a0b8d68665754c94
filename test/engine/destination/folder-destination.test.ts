import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { tempFolders } from '../../storage/temp-folder.ts'
import { filesIn, openDestination, openFolder, put, stage, taskOf } from './folder-case.ts'

const newFolder = tempFolders()
const opened: { close: () => void }[] = []
const open: typeof openDestination = (...args) => {
  const sut = openDestination(...args)
  opened.push(sut)
  return sut
}
const close = (): void => opened.splice(0).forEach((sut) => sut.close())
afterEach(close)

const a = taskOf('http://h/a.bin')
const twin = taskOf('http://other/a.bin')

describe('a second run', () => {
  test('keeps what is finished', async () => {
    const dir = newFolder()
    expect(await open(dir).fetch(a, 'one')).toBe('a.bin')
    close()
    expect(await open(dir).fetch(a, 'two')).toBe('finished-before: a.bin')
    expect(filesIn(dir)).toEqual({ 'a.bin': 'one' })
  })

  test.each([
    ['overwrite', 'a.bin', { 'a.bin': 'two' }],
    ['rename', 'a (1).bin', { 'a.bin': 'one', 'a (1).bin': 'two' }],
    ['skip', 'finished-before: a.bin', { 'a.bin': 'one' }],
    ['error', 'finished-before: a.bin', { 'a.bin': 'one' }],
  ] as const)('with --on-exists %s', async (onExists, said, files) => {
    const dir = newFolder()
    await open(dir).fetch(a, 'one')
    close()
    expect(await open(dir, onExists).fetch(a, 'two')).toBe(said)
    expect(filesIn(dir)).toEqual(files)
  })

  test('fetches again what was removed, under its name', async () => {
    const dir = newFolder()
    await open(dir).fetch(a, 'one')
    close()
    rmSync(join(dir, 'a.bin'))
    expect(await open(dir).fetch(a, 'two')).toBe('a.bin')
    expect(filesIn(dir)).toEqual({ 'a.bin': 'two' })
  })

  test('leaves alone what somebody changed', async () => {
    const dir = newFolder()
    await open(dir).fetch(a, 'one')
    close()
    put(dir, 'a.bin', 'changed by hand')
    expect(await open(dir).fetch(a, 'two')).toBe('a (1).bin')
    expect(filesIn(dir)).toEqual({ 'a.bin': 'changed by hand', 'a (1).bin': 'two' })
  })

  test('gives two files of one name the names they had', async () => {
    const dir = newFolder()
    const first = open(dir)
    expect(await first.fetch(a, 'one')).toBe('a.bin')
    expect(await first.fetch(twin, 'two')).toBe('a (1).bin')
    close()
    const second = open(dir)
    expect(await second.fetch(twin, 'x')).toBe('finished-before: a (1).bin')
    expect(await second.fetch(a, 'x')).toBe('finished-before: a.bin')
    expect(await second.fetch(taskOf('http://third/a.bin'), 'three')).toBe('a (2).bin')
  })
})

describe("a stranger's file", () => {
  test.each([
    ['resume', 'a (1).bin', { 'a.bin': 'theirs', 'a (1).bin': 'ours' }],
    ['skip', 'exists: a.bin', { 'a.bin': 'theirs' }],
    ['overwrite', 'a.bin', { 'a.bin': 'ours' }],
    ['rename', 'a (1).bin', { 'a.bin': 'theirs', 'a (1).bin': 'ours' }],
    ['error', 'ERR_EXISTS', { 'a.bin': 'theirs' }],
  ] as const)('with --on-exists %s', async (onExists, said, files) => {
    const dir = newFolder()
    put(dir, 'a.bin', 'theirs')
    expect(await open(dir, onExists).fetch(a, 'ours')).toBe(said)
    expect(filesIn(dir)).toEqual(files)
  })

  test('of the same length and time is the same file', async () => {
    const dir = newFolder()
    put(dir, 'a.bin', 'same')
    const modifiedS = Date.UTC(2024, 0, 1) / 1000
    utimesSync(join(dir, 'a.bin'), modifiedS, modifiedS)
    const validators = { lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' }
    expect(await open(dir).fetch(a, 'same', { validators })).toBe('exists: a.bin')
    const later = { lastModified: 'Mon, 01 Jan 2024 00:00:01 GMT' }
    expect(await open(newFolder()).fetch(a, 'same', { validators: later })).toBe('a.bin')
    close()
    expect(await open(dir).fetch(twin, 'same', { validators: later })).toBe('a (1).bin')
  })

  test('that comes while ours is on its way is not touched', async () => {
    const dir = newFolder()
    const sut = open(dir)
    await sut.fetch(taskOf('http://h/first.bin'), 'x')
    put(dir, 'a.bin', 'theirs')
    expect(await sut.fetch(a, 'ours')).toBe('a (1).bin')
    expect(filesIn(dir)).toMatchObject({ 'a.bin': 'theirs', 'a (1).bin': 'ours' })
    close()
    expect(await open(dir).fetch(a, 'ours')).toBe('finished-before: a (1).bin')
  })

  test('a link is never followed; --on-exists overwrite replaces the link itself', async () => {
    const dir = newFolder()
    const outside = newFolder()
    put(outside, 'victim', 'untouched')
    symlinkSync(join(outside, 'victim'), join(dir, 'a.bin'))
    expect(await open(dir).fetch(a, 'ours')).toBe('a (1).bin')
    close()
    expect(await open(dir, 'overwrite').fetch(twin, 'ours')).toBe('a.bin')
    expect(lstatSync(join(dir, 'a.bin')).isFile()).toBe(true)
    expect(filesIn(outside)).toEqual({ victim: 'untouched' })
  })
})

describe('names', () => {
  test('case twins and the same name many times', async () => {
    const sut = open(newFolder())
    const names: string[] = []
    for (const name of ['A.bin', 'a.bin', 'a.BIN', 'a.bin']) {
      names.push(await sut.fetch(taskOf(`http://${names.length}/${name}`), 'x'))
    }
    expect(names).toEqual(['A.bin', 'a (1).bin', 'a (2).BIN', 'a (3).bin'])
  })

  test('a folder where the file should be', async () => {
    const dir = newFolder()
    mkdirSync(join(dir, 'a.bin'))
    for (const policy of ['resume', 'skip', 'overwrite', 'rename', 'error'] as const) {
      expect(await open(dir, policy).fetch(taskOf('http://h/a.bin'), 'x')).toBe('ERR_IS_DIRECTORY')
      close()
    }
    expect(readdirSync(join(dir, 'a.bin'))).toEqual([])
  })

  test('a file where a folder should be', async () => {
    const dir = newFolder()
    put(dir, 'sub', 'a file')
    const sut = open(dir)
    expect(await sut.fetch(taskOf('http://h/sub/a.bin'), 'x')).toBe('ERR_NOT_DIRECTORY')
    expect(await sut.fetch(taskOf('http://h/b.bin'), 'x')).toBe('b.bin')
    expect(filesIn(dir)).toEqual({ sub: 'a file', 'b.bin': 'x' })
  })

  test('a link that leads out of the folder', async () => {
    const dir = newFolder()
    const outside = newFolder()
    symlinkSync(outside, join(dir, 'out'))
    expect(await open(dir).fetch(taskOf('http://h/out/a.bin'), 'x')).toBe('ERR_PATH_UNSAFE')
    expect(readdirSync(outside)).toEqual([])
  })

  test('nothing gets the name of our own folder', async () => {
    const dir = newFolder()
    expect(await open(dir).fetch(taskOf('http://h/.trawl/journal'), 'x')).toBe('.trawl (1)/journal')
    expect(await open(newFolder()).fetch(taskOf('http://h/.trawl'), 'x')).toBe('.trawl (1)')
  })
})

describe('after a death between intent and done', () => {
  /** What a killed run left: the intent of `a` in the journal, and what `arrange` puts on the disk. */
  function killed(
    content: string,
    arrange: (paths: { dir: string; part: string; final: string }) => void,
    path = 'a.bin',
  ): string {
    const dir = newFolder()
    const folder = openFolder(dir)
    folder.journal.named({ id: a.id, ordinal: 0, path, input: 'http://h/a.bin' })
    folder.journal.intent({
      id: a.id,
      generation: 1,
      path,
      lengthBytes: content.length,
      crc32: crc32(content),
      facts: {},
    })
    folder.close()
    arrange({ dir, part: folder.partPath(a.id), final: join(dir, path) })
    return dir
  }

  test('before the rename: it is made', async () => {
    const dir = killed('bytes', ({ part }) => writeFileSync(part, 'bytes'))
    const sut = open(dir)
    expect(sut.destination.recovery.recovered).toBe(1)
    expect(filesIn(dir)).toEqual({ 'a.bin': 'bytes' })
    expect(readdirSync(join(dir, '.trawl/parts'))).toEqual([])
    expect(await sut.fetch(a, 'again')).toBe('finished-before: a.bin')
  })

  test('after the rename, with and without the second name', async () => {
    for (const withPart of [false, true]) {
      const dir = killed('bytes', ({ part, final }) => {
        writeFileSync(final, 'bytes')
        if (withPart) linkSync(final, part)
      })
      const sut = open(dir)
      expect(sut.destination.recovery.recovered).toBe(1)
      expect(readdirSync(join(dir, '.trawl/parts'))).toEqual([])
      expect(await sut.fetch(a, 'again')).toBe('finished-before: a.bin')
      close()
    }
  })

  test.each([
    ['of another length', 'byte'],
    ['of other bytes', 'bytez'],
  ])('a part %s is never named', async (_title, text) => {
    const dir = killed('bytes', ({ part }) => writeFileSync(part, text))
    const sut = open(dir)
    expect(sut.destination.recovery.recovered).toBe(0)
    expect(filesIn(dir)).toEqual({})
    expect(await sut.fetch(a, 'bytes')).toBe('a.bin')
    expect(filesIn(dir)).toEqual({ 'a.bin': 'bytes' })
  })

  test('nothing on the disk: fetched anew, under the same name', async () => {
    const dir = killed('bytes', () => {})
    expect(await open(dir).fetch(a, 'bytes')).toBe('a.bin')
  })

  test("a stranger's file under the name stays, ours gets another", async () => {
    const dir = killed('bytes', ({ part, final }) => {
      writeFileSync(part, 'bytes')
      writeFileSync(final, 'theirs')
    })
    expect(await open(dir).fetch(a, 'bytes')).toBe('a (1).bin')
    expect(filesIn(dir)).toEqual({ 'a.bin': 'theirs', 'a (1).bin': 'bytes' })
  })

  test('an overwrite that was not made yet is made by the next one', async () => {
    const dir = killed('bytes', ({ part, final }) => {
      writeFileSync(part, 'bytes')
      writeFileSync(final, 'old')
    })
    expect(await open(dir, 'overwrite').fetch(a, 'bytes')).toBe('a.bin')
    expect(filesIn(dir)).toEqual({ 'a.bin': 'bytes' })
  })

  test('a folder that became a file or a link out does not stop the rest', async () => {
    const outside = newFolder()
    for (const change of ['file', 'link'] as const) {
      const dir = killed(
        'bytes',
        ({ dir, part }) => {
          writeFileSync(part, 'bytes')
          if (change === 'file') writeFileSync(join(dir, 'sub'), 'a file')
          else symlinkSync(outside, join(dir, 'sub'))
        },
        'sub/a.bin',
      )
      const sut = open(dir)
      expect(sut.destination.recovery.recovered).toBe(0)
      expect(await sut.fetch(taskOf('http://h/b.bin'), 'x')).toBe('b.bin')
      close()
    }
    expect(readdirSync(outside)).toEqual([])
  })

  test('a second destination of the folder does not touch what the first has in hand', async () => {
    const dir = newFolder()
    const first = open(dir)
    const { folder } = first
    const verdict = first.destination.entity(
      { task: a, path: undefined, kept: undefined, replace: false },
      {
        url: 'http://h/a.bin',
        httpStatus: 200,
        validators: {},
      },
    )
    if (verdict.verdict === 'skip') expect.fail('skipped')
    const staged = stage(verdict.sink, 'bytes')
    await staged.sink.checkpoint()
    folder.journal.intent({
      id: a.id,
      generation: 1,
      path: 'a.bin',
      lengthBytes: 5,
      crc32: crc32('bytes'),
      facts: {},
    })
    const second = openDestination(dir, 'resume', folder)
    expect(second.destination.recovery.recovered).toBe(0)
    expect(existsSync(join(dir, 'a.bin'))).toBe(false)
    staged.sink.abort({ discard: true })
  })
})

describe('two jobs of one folder', () => {
  test('that want the very same file: one fetches it, the other waits and finds it', async () => {
    const dir = newFolder()
    const first = open(dir)
    const second = openDestination(dir, 'resume', first.folder)
    const named = { task: a, path: undefined, kept: undefined, replace: false }
    const facts = { url: 'http://h/a.bin', httpStatus: 200, lengthBytes: 5, validators: {} }
    const verdict = first.destination.entity(named, facts)
    if (verdict.verdict === 'skip') expect.fail('skipped')
    const staged = stage(verdict.sink, 'bytes')
    expect(second.destination.admit(a)).toMatchObject({ admit: 'fetch' })
    expect(() => second.destination.entity(named, facts)).toThrow(
      expect.objectContaining({ code: 'ERR_LOCKED', retry: 'backoff', scope: 'task' }),
    )
    const commitFacts = { attempts: 1, durationMs: 1, fetchedBytes: 5 }
    await first.destination.commit({ ...named, path: verdict.path }, staged, commitFacts)
    expect(second.destination.entity(named, facts)).toEqual({
      verdict: 'skip',
      reason: 'finished-before',
      path: 'a.bin',
    })
    expect(filesIn(dir)).toEqual({ 'a.bin': 'bytes' })
  })

  test('a transfer that was given up is free for the other', () => {
    const first = open(newFolder())
    const named = { task: a, path: undefined, kept: undefined, replace: false }
    const facts = { url: 'http://h/a.bin', httpStatus: 200, lengthBytes: 5, validators: {} }
    for (let round = 0; round < 3; round++) {
      const verdict = first.destination.entity(named, facts)
      if (verdict.verdict === 'skip') expect.fail('skipped')
      verdict.sink.open([], 1)
      verdict.sink.abort({ discard: true })
    }
  })
})
