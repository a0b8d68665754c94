import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TrawlError } from '../../../src/core/index.ts'
import { Committer, type CommitRequest } from '../../../src/engine/destination/committer.ts'
import type { StagedTransfer } from '../../../src/engine/index.ts'
import { MemoryJournal, Volume, type Durability, type Sink } from '../../../src/storage/index.ts'

/** A journal that notes what is asked of it, in one list with the sinks. */
class NotingJournal extends MemoryJournal {
  readonly #notes: string[]
  /** Flushes to fail, by their number from 1. */
  readonly failing = new Set<number>()
  flushes = 0

  constructor(notes: string[]) {
    super()
    this.#notes = notes
  }

  override intent(record: Parameters<MemoryJournal['intent']>[0]): void {
    this.#notes.push(`intent ${record.id} ${record.path}`)
    super.intent(record)
  }

  override done(id: string): void {
    this.#notes.push(`done ${id}`)
    super.done(id)
  }

  override flush(): void {
    this.#notes.push('flush')
    if (this.failing.has(++this.flushes)) throw new TrawlError('ERR_NO_SPACE', 'full')
  }

  override sync(): void {
    this.#notes.push('sync')
  }
}

interface FakeSinkOptions {
  readonly slow?: boolean
  readonly lengthBytes?: number
  readonly failing?: 'checkpoint' | 'slow checkpoint' | 'commit'
}

function harness(durability: Durability = 'none') {
  const notes: string[] = []
  const taken = new Set<string>()
  const journal = new NotingJournal(notes)
  let renames = 0
  const committer = new Committer({
    onCommitted: () => {},
    journal,
    volume: new Volume({ durability }),
    place: (path) => `/out/${path}`,
    rename: (request) => `${request.path} (${++renames})`,
  })
  const sinkOf = (id: string, options: FakeSinkOptions): Sink => {
    const length = options.lengthBytes ?? 10
    const checkpoint = () => {
      notes.push(`checkpoint ${id}`)
      if (options.failing === 'checkpoint') throw new TrawlError('ERR_NO_SPACE', 'full')
      return length === 0 ? [] : [{ start: 0, end: length }]
    }
    return {
      properties: { randomAccess: true, durable: true, readable: true },
      open: () => [],
      write: () => {},
      read: () => Buffer.alloc(0),
      reset: () => {},
      abort: () => [],
      checkpoint: () => {
        if (options.failing === 'slow checkpoint')
          return Promise.reject(new TrawlError('ERR_IO', 'slow and broken'))
        return options.slow
          ? new Promise((resolve) => setTimeout(() => resolve(checkpoint()), 5))
          : checkpoint()
      },
      commit: (finalPath) => {
        notes.push(`rename ${id} ${finalPath}`)
        if (options.failing === 'commit') throw new TrawlError('ERR_PERMISSION', 'not allowed')
        if (taken.has(finalPath)) throw new TrawlError('ERR_EXISTS', `${finalPath} exists`)
        taken.add(finalPath)
      },
    }
  }
  const request = (id: string, path: string, options: FakeSinkOptions = {}): CommitRequest => {
    const staged: StagedTransfer = {
      result: 'staged',
      sink: sinkOf(id, options),
      generation: 1,
      lengthBytes: 10,
      crc32: 1,
      digests: [],
      fetchedBytes: 10,
      facts: {},
    }
    return { id, staged, facts: {}, path, replace: false }
  }
  return { notes, taken, journal, committer, request }
}

const ids = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)] as const
const [a, b, c] = ids

describe('the order of a commit', () => {
  test('one file: bytes, intent, flush, rename, done', async () => {
    const { committer, request, notes } = harness()
    expect(await committer.commit(request(a, 'one.bin'))).toBe('one.bin')
    expect(notes).toEqual([
      'flush',
      `checkpoint ${a}`,
      `intent ${a} one.bin`,
      'flush',
      `rename ${a} /out/one.bin`,
      `done ${a}`,
    ])
  })

  test('the strict policy syncs what it flushes', async () => {
    const { committer, request, notes, taken } = harness('strict')
    taken.add('/out/one.bin')
    expect(await committer.commit(request(a, 'one.bin'))).toBe('one.bin (1)')
    expect(notes.filter((note) => note === 'sync')).toHaveLength(2)
    const lastSync = notes.lastIndexOf('sync')
    expect(notes.slice(lastSync + 1)).toEqual([`rename ${a} /out/one.bin (1)`, `done ${a}`])
  })

  test('a group shares its flushes; slow files do not hold up the others', async () => {
    const { committer, request, notes } = harness()
    const slow = committer.commit(request(a, 'slow.bin', { slow: true }))
    const quick = ids.slice(1).map((id) => committer.commit(request(id, `${id[0]}.bin`)))
    expect(await Promise.all(quick)).toEqual(['b.bin', 'c.bin'])
    expect(notes.filter((note) => note === 'flush')).toHaveLength(2)
    expect(notes.some((note) => note.startsWith(`rename ${a}`))).toBe(false)
    expect(await slow).toBe('slow.bin')
    expect(notes.indexOf(`checkpoint ${a}`)).toBeLessThan(notes.indexOf(`intent ${a} slow.bin`))
  })

  test('any mix of quick, slow and failing files keeps the order for each', async () => {
    const kinds = ['quick', 'slow', 'checkpoint', 'slow checkpoint', 'commit', 'taken'] as const
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 }), async (mix) => {
        const { committer, request, notes, taken, journal } = harness()
        const ends = mix.map(async (kind, n) => {
          const id = n.toString(16).padStart(32, '0')
          if (kind === 'taken') taken.add(`/out/${n}`)
          const failing =
            kind === 'checkpoint' || kind === 'slow checkpoint' || kind === 'commit' ? kind : undefined
          const path = await committer
            .commit(request(id, String(n), { slow: kind === 'slow', ...(failing ? { failing } : {}) }))
            .catch(() => 'failed')
          expect(path === 'failed').toBe(failing !== undefined)
          expect(journal.state(id) === 'done').toBe(failing === undefined)
          if (path === 'failed') return
          const at = (note: string): number => notes.indexOf(note)
          const intent = at(`intent ${id} ${path}`)
          const rename = at(`rename ${id} /out/${path}`)
          expect(at(`checkpoint ${id}`)).toBeLessThan(intent)
          expect(notes.slice(intent, rename)).toContain('flush')
          expect(rename).toBeLessThan(at(`done ${id}`))
        })
        await Promise.all(ends)
      }),
      { numRuns: 40 },
    )
  })
})

describe('what goes wrong', () => {
  test("a stranger's file: another name, announced before it is used", async () => {
    const { committer, request, notes, taken } = harness()
    taken.add('/out/x').add('/out/x (1)')
    expect(await committer.commit(request(a, 'x'))).toBe('x (2)')
    for (const path of ['x', 'x (1)', 'x (2)']) {
      const intent = notes.indexOf(`intent ${a} ${path}`)
      const rename = notes.indexOf(`rename ${a} /out/${path}`)
      expect(notes.slice(intent, rename)).toContain('flush')
    }
  })

  test('a journal that cannot be written: nothing is renamed, everybody is told, and the next group goes on', async () => {
    for (const failing of [1, 2]) {
      const { committer, request, notes, journal } = harness()
      journal.failing.add(failing)
      const group = [a, b].map((id) =>
        committer.commit(request(id, `${id[0]}.bin`)).catch((error: TrawlError) => error.code),
      )
      expect(await Promise.all(group)).toEqual(['ERR_NO_SPACE', 'ERR_NO_SPACE'])
      expect(notes.some((note) => note.startsWith('rename'))).toBe(false)
      expect(await committer.commit(request(c, 'c.bin'))).toBe('c.bin')
    }
  })

  test('one file that fails does not take its group along', async () => {
    const { committer, request, journal } = harness()
    const failing = (['checkpoint', 'commit'] as const).map((kind, n) =>
      committer.commit(request(ids[n] ?? a, 'x', { failing: kind })).catch((error: TrawlError) => error.code),
    )
    const good = committer.commit(request(c, 'c.bin'))
    expect(await Promise.all(failing)).toEqual(['ERR_NO_SPACE', 'ERR_PERMISSION'])
    expect(await good).toBe('c.bin')
    expect(ids.map((id) => journal.state(id))).toEqual([undefined, 'staged', 'done'])
  })

  test.each([0, 9, 11])('a sink that has %i of 10 bytes never gets a name', async (lengthBytes) => {
    for (const slow of [false, true]) {
      const { committer, request, notes } = harness()
      const end = committer.commit(request(a, 'x', { lengthBytes, slow }))
      await expect(end).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
      expect(notes.some((note) => note.startsWith('rename') || note.startsWith('intent'))).toBe(false)
    }
  })
})
