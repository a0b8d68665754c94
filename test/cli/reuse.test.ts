import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { JobStats } from '../../src/core/index.ts'
import { body, faults, respond, withFaults } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { fileNames, useOrigin } from './cli-origin.ts'
import { startCli } from './run-cli.ts'
import { runMain, type MainEnd } from './run-main.ts'

const newFolder = tempFolders()

const size = 3 * 1024 * 1024
const modified = new Date(Date.UTC(2024, 4, 5, 6, 7, 8))
const origin = await useOrigin((served) => {
  // Named ones too: routes of a test before this one go before the pattern.
  for (const path of ['/*', '/a.bin']) {
    served.route(path, (request) => {
      const file = body(request.path, size)
      return respond.withRange(file, { etag: `"${request.path}"`, lastModified: modified })(request)
    })
  }
})
const url = (path: string): string => `${origin.url}/${path}`
const bytesOf = (path: string, sizeBytes = size): Buffer => body(`/${path}`, sizeBytes).bytes()
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

interface Got extends MainEnd {
  readonly stats: JobStats
  /** Why each item was skipped, in order of the words; `fetched` for those that were not. */
  readonly reasons: readonly string[]
}

async function get(...args: string[]): Promise<Got> {
  const end = await runMain(['get', '--retry-delay', '1ms', '--retries', '1', '--json', ...args])
  const events = end.stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; stats?: JobStats; outcome?: { skipReason?: string } })
  const stats = events.at(-1)?.stats
  if (!stats) throw new Error(end.stderr)
  return {
    ...end,
    stats,
    reasons: events.flatMap(({ type, outcome }) =>
      type === 'task.finished' ? [outcome?.skipReason ?? 'fetched'] : [],
    ),
  }
}

/** A folder in which the files were downloaded before, and a copy of what it was to compare with. */
async function oldFolder(...paths: string[]): Promise<string> {
  const dir = newFolder()
  await get(...paths.map(url), '-d', dir)
  return dir
}

function contentOf(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const { mtimeMs, ino, mode } = statSync(path)
      return [path, `${sha256(readFileSync(path))} ${mtimeMs} ${ino} ${mode}`]
    }),
  )
}

describe('by the validator on record', () => {
  test('the server says that it is the same: the file is copied, no body comes, the other folder is as it was', async () => {
    const old = await oldFolder('a.bin', 'b.bin')
    const before = contentOf(old)
    const dir = newFolder()
    const sent = origin.requests.length
    const end = await get(url('a.bin'), url('b.bin'), url('c.bin'), '-d', dir, '--reuse', old)
    expect(end.code).toBe(0)
    expect(end.reasons.toSorted()).toEqual(['fetched', 'reused', 'reused'])
    expect(end.stats).toMatchObject({
      ok: 1,
      skipped: 2,
      fetchedBytes: size,
      reuse: { checks: 3, hits: 2, savedBytes: 2 * size },
    })
    expect(
      origin.requests
        .slice(sent)
        .map(({ headers }) => headers['if-none-match'] ?? 'none')
        .toSorted(),
    ).toEqual(['"/a.bin"', '"/b.bin"', 'none'])
    for (const name of ['a.bin', 'b.bin', 'c.bin'])
      expect(readFileSync(join(dir, name)).equals(bytesOf(name))).toBe(true)
    expect(statSync(join(dir, 'a.bin')).ino).not.toBe(statSync(join(old, 'a.bin')).ino)
    expect(contentOf(old)).toEqual(before)
    expect((await runMain(['verify', dir])).code).toBe(0)
    // They are files of this folder now.
    const again = await get(url('a.bin'), '-d', dir)
    expect(again.reasons).toEqual(['finished-before'])
    expect(readdirSync(join(dir, '.trawl/parts'))).toEqual([])
  })

  test('under another name, and said in the summary', async () => {
    const old = await oldFolder('a.bin')
    const dir = newFolder()
    const end = await runMain(['get', url('a.bin'), '-d', dir, '-o', 'sub/other.dat', '--reuse', old])
    expect([end.code, end.stderr]).toEqual([
      0,
      expect.stringContaining('1 of 1 found here already, 3.00 MiB not fetched'),
    ])
    expect(readFileSync(join(dir, 'sub/other.dat')).equals(bytesOf('a.bin'))).toBe(true)
  })

  test('a server that knows no conditions: its headers decide', async () => {
    const old = await oldFolder('a.bin')
    origin.route('/a.bin', respond.whole(body('/a.bin', size), { etag: '"/a.bin"' }))
    const end = await get(url('a.bin'), '-d', newFolder(), '--reuse', old)
    expect([end.reasons, end.stats.fetchedBytes]).toEqual([['reused'], 0])
  })

  test('another version, a weak tag, a date alone: fetched', async () => {
    origin.route('/weak.bin', respond.withRange(body('/weak.bin', size), { etag: 'W/"1"' }))
    origin.route(
      '/dated.bin',
      respond.withRange(body('/dated.bin', size), { etag: null, lastModified: modified }),
    )
    const old = await oldFolder('a.bin', 'weak.bin', 'dated.bin')
    origin.route('/a.bin', respond.withRange(body('/new', size), { etag: '"new"' }))
    const dir = newFolder()
    const end = await get(url('a.bin'), url('weak.bin'), url('dated.bin'), '-d', dir, '--reuse', old)
    expect(end.stats).toMatchObject({ ok: 3, fetchedBytes: 3 * size, reuse: { checks: 3, hits: 0 } })
    expect(readFileSync(join(dir, 'a.bin')).equals(body('/new', size).bytes())).toBe(true)
  })

  test.each(['changed', 'removed', 'cut'])('a file that was %s since: fetched, right', async (harm) => {
    const old = await oldFolder('a.bin')
    const path = join(old, 'a.bin')
    if (harm === 'changed') writeFileSync(path, Buffer.alloc(size, 'other'))
    else if (harm === 'cut') writeFileSync(path, 'short')
    else unlinkSync(path)
    const dir = newFolder()
    const end = await get(url('a.bin'), '-d', dir, '--reuse', old)
    expect(end.stats).toMatchObject({ ok: 1, reuse: { hits: 0 } })
    expect(readFileSync(join(dir, 'a.bin')).equals(bytesOf('a.bin'))).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
  })

  test('a link where the file was is not followed', async () => {
    const old = await oldFolder('a.bin')
    const elsewhere = join(newFolder(), 'x')
    writeFileSync(elsewhere, bytesOf('a.bin'))
    const path = join(old, 'a.bin')
    unlinkSync(path)
    symlinkSync(elsewhere, path)
    expect((await get(url('a.bin'), '-d', newFolder(), '--reuse', old)).stats).toMatchObject({
      ok: 1,
      reuse: { hits: 0 },
    })
  })

  test('--reuse-link: a second name of the same file; its time stays', async () => {
    const old = await oldFolder('a.bin')
    const before = contentOf(old)
    const dir = newFolder()
    const end = await get(url('a.bin'), '-d', dir, '--reuse', old, '--reuse-link', '--remote-time')
    expect(end.reasons).toEqual(['reused'])
    expect(statSync(join(dir, 'a.bin')).ino).toBe(statSync(join(old, 'a.bin')).ino)
    expect(contentOf(old)).toEqual(before)
    // A new version replaces the name, and not what the other folder has.
    origin.route('/a.bin', respond.withRange(body('/new', 5000), { etag: '"new"' }))
    expect((await get(url('a.bin'), '-d', dir, '--update')).stats.ok).toBe(1)
    expect(readFileSync(join(dir, 'a.bin')).equals(body('/new', 5000).bytes())).toBe(true)
    expect(contentOf(old)).toEqual(before)
  })

  test('the output folder itself: the same address under two names comes once', async () => {
    const dir = await oldFolder('a.bin')
    const end = await get(url('a.bin'), '-d', dir, '-o', 'twin.bin', '--reuse', dir)
    expect(end.reasons).toEqual(['reused'])
    expect(fileNames(dir)).toEqual(['a.bin', 'twin.bin'])
  })

  test('a stranger under the wanted name keeps it', async () => {
    const old = await oldFolder('a.bin')
    const dir = newFolder()
    writeFileSync(join(dir, 'a.bin'), 'mine')
    expect((await get(url('a.bin'), '-d', dir, '--reuse', old)).reasons).toEqual(['reused'])
    expect(fileNames(dir)).toEqual(['a (1).bin', 'a.bin'])
    expect(readFileSync(join(dir, 'a.bin'), 'utf8')).toBe('mine')
  })
})

describe('by digest', () => {
  test('of a folder without records, whatever the file is called: nothing is asked', async () => {
    const old = newFolder()
    mkdirSync(join(old, 'deep/er'), { recursive: true })
    writeFileSync(join(old, 'deep/er/a.bin'), bytesOf('a.bin'))
    const dir = newFolder()
    const sent = origin.requests.length
    const end = await get(
      url('a.bin'),
      '-d',
      dir,
      '--reuse',
      old,
      '--checksum',
      `sha-256=${sha256(bytesOf('a.bin'))}`,
    )
    expect([end.code, end.reasons]).toEqual([0, ['reused']])
    expect(origin.requests).toHaveLength(sent)
    expect(readFileSync(join(dir, 'a.bin')).equals(bytesOf('a.bin'))).toBe(true)
    expect((await runMain(['verify', dir])).code).toBe(0)
    // With the length known, as a Metalink has it, the name need not be the same.
    const meta = join(dir, 'm.meta4')
    const hash = `<hash type="sha-256">${sha256(bytesOf('a.bin'))}</hash>`
    writeFileSync(
      meta,
      `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="named.bin"><size>${size}</size>${hash}<url>${url('z')}</url></file></metalink>`,
    )
    const second = await get('-i', meta, '-d', dir, '--reuse', old)
    expect([second.reasons, fileNames(dir)]).toEqual([['reused'], ['a.bin', 'm.meta4', 'named.bin']])
    expect(origin.requests).toHaveLength(sent)
  })

  test('a file of the same name and length with other bytes is not taken', async () => {
    const old = newFolder()
    writeFileSync(join(old, 'a.bin'), Buffer.alloc(size, 'no'))
    const dir = newFolder()
    const end = await get(
      url('a.bin'),
      '-d',
      dir,
      '--reuse',
      old,
      '--checksum',
      `sha-256=${sha256(bytesOf('a.bin'))}`,
    )
    expect(end.stats).toMatchObject({
      ok: 1,
      fetchedBytes: size,
      reuse: { checks: 1, hits: 0, savedBytes: 0 },
    })
    expect(readFileSync(join(dir, 'a.bin')).equals(bytesOf('a.bin'))).toBe(true)
  })
})

describe('by length, time and both ends', () => {
  function plain(content: Buffer, time = modified): string {
    const old = newFolder()
    writeFileSync(join(old, 'whatever.iso'), content)
    utimesSync(join(old, 'whatever.iso'), time, time)
    return old
  }

  test('only with --reuse-by sample: the ends are fetched, the rest is copied', async () => {
    const old = plain(bytesOf('a.bin'))
    const before = contentOf(old)
    expect((await get(url('a.bin'), '-d', newFolder(), '--reuse', old)).stats).toMatchObject({
      fetchedBytes: size,
      reuse: { hits: 0 },
    })
    const dir = newFolder()
    const end = await get(url('a.bin'), '-d', dir, '--reuse', old, '--reuse-by', 'sample')
    expect(end.code).toBe(0)
    expect(end.stats.fetchedBytes).toBeLessThan(size / 4)
    expect(end.stats.reuse?.hits).toBe(1)
    expect(readFileSync(join(dir, 'a.bin')).equals(bytesOf('a.bin'))).toBe(true)
    expect(contentOf(old)).toEqual(before)
    expect((await runMain(['verify', dir])).code).toBe(0)
  })

  test('other bytes at an end: all of it is fetched, and it is said', async () => {
    const content = Buffer.from(bytesOf('a.bin'))
    content.fill(0, size - 100, size - 50)
    const dir = newFolder()
    const end = await get(url('a.bin'), '-d', dir, '--reuse', plain(content), '--reuse-by', 'sample')
    expect(end.stats).toMatchObject({ ok: 1, reuse: { hits: 0 } })
    expect(end.stdout.toString()).toContain('but other bytes')
    expect(readFileSync(join(dir, 'a.bin')).equals(bytesOf('a.bin'))).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
  })

  test('another time or length: fetched', async () => {
    for (const old of [plain(bytesOf('a.bin'), new Date()), plain(bytesOf('a.bin').subarray(1))]) {
      const end = await get(url('a.bin'), '-d', newFolder(), '--reuse', old, '--reuse-by', 'sample')
      expect(end.stats).toMatchObject({ ok: 1, reuse: { hits: 0 } })
    }
  })

  test('killed between copy and comparison: what was not compared is not gone on from', async () => {
    const content = Buffer.from(bytesOf('a.bin'))
    // Wrong in the first kibibyte only.
    content.fill(0, 0, 1000)
    const old = plain(content)
    const dir = newFolder()
    const slow = withFaults(
      respond.withRange(body('/a.bin', size), { etag: '"/a.bin"', lastModified: modified }),
      faults.rate(20_000),
    )
    origin.route('/a.bin', slow)
    const running = startCli(['get', url('a.bin'), '-d', dir, '--reuse', old, '--reuse-by', 'sample'])
    const part = join(dir, '.trawl/parts')
    for (let tries = 0; tries < 500; tries++) {
      if (existsSync(part) && readdirSync(part).some((name) => statSync(join(part, name)).size === size))
        break
      await sleep(10)
    }
    await sleep(300)
    running.child.kill('SIGKILL')
    await running.end
    origin.route(
      '/a.bin',
      respond.withRange(body('/a.bin', size), { etag: '"/a.bin"', lastModified: modified }),
    )
    expect((await get(url('a.bin'), '-d', dir)).code).toBe(0)
    expect(readFileSync(join(dir, 'a.bin')).equals(bytesOf('a.bin'))).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
  })
})

describe('what goes wrong', () => {
  test('a folder that is none', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'file'), 'x')
    for (const path of [join(dir, 'gone'), join(dir, 'file')]) {
      const end = await runMain(['get', url('a.bin'), '-d', join(dir, 'out'), '--reuse', path])
      expect([end.code, end.stderr]).toEqual([2, expect.stringContaining(`--reuse: ${path}`)])
    }
  })

  test('killed at any moment of a run that reuses: every file is whole, and nothing is left over', async () => {
    const paths = Array.from({ length: 12 }, (_, n) => `f${n}.bin`)
    const old = await oldFolder(...paths)
    const before = contentOf(old)
    const dir = newFolder()
    for (let round = 0; round < 4; round++) {
      const running = startCli(['get', ...paths.map(url), '-d', dir, '--reuse', old])
      await sleep(350 + round * 60)
      running.child.kill('SIGKILL')
      await running.end
      for (const name of existsSync(dir) ? fileNames(dir) : []) {
        expect(readFileSync(join(dir, name)).equals(bytesOf(name)), name).toBe(true)
      }
    }
    expect((await get(...paths.map(url), '-d', dir, '--reuse', old)).code).toBe(0)
    expect(fileNames(dir)).toEqual(paths.toSorted())
    expect(contentOf(old)).toEqual(before)
  }, 60_000)

  test('--mode threads does it too', async () => {
    const old = await oldFolder('a.bin', 'b.bin')
    const dir = newFolder()
    const end = await get(
      url('a.bin'),
      url('b.bin'),
      url('c.bin'),
      '-d',
      dir,
      '--reuse',
      old,
      '--mode',
      'threads',
      '--workers',
      '1',
    )
    expect(end.reasons.toSorted()).toEqual(['fetched', 'reused', 'reused'])
    for (const name of fileNames(dir))
      expect(readFileSync(join(dir, name)).equals(bytesOf(name)), name).toBe(true)
    origin.route('/a.bin', respond.withRange(body('/new', 5000), { etag: '"new"' }))
    const update = await get(
      url('a.bin'),
      url('b.bin'),
      '-d',
      dir,
      '--update',
      '--mode',
      'threads',
      '--workers',
      '1',
    )
    expect(update.reasons.toSorted()).toEqual(['fetched', 'not-modified'])
    expect(readFileSync(join(dir, 'a.bin')).equals(body('/new', 5000).bytes())).toBe(true)
  })
})
