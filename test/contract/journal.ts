import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/index.ts'
import type { Journal } from '../../src/storage/index.ts'

/** A journal under test and the way to the next process: what was flushed must be there again. */
export interface JournalUnderTest {
  readonly journal: Journal
  /** Closes the journal and opens what it left behind; absent where nothing survives. */
  readonly reopen?: () => Journal
  readonly close: () => void
}

const idOf = (n: number): string => n.toString(16).padStart(32, '0')
const nameOf = (n: number): string => `folder/näme-${n}.bin`

export const journalRecords = {
  idOf,
  nameOf,
  named: (n: number, path = nameOf(n)) => ({ id: idOf(n), ordinal: n, path, input: `https://h/ü/${n}` }),
  checkpoint: (n: number, end = 100) => ({
    id: idOf(n),
    generation: 2,
    lengthBytes: 1000 + n,
    extents: [
      { start: 0, end },
      { start: 5_000_000_000, end: 5_000_000_000 + end },
    ],
    validators: { 'https://h': { etag: '"é"', lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' } },
    contentType: 'image/png',
  }),
  intent: (n: number, path = nameOf(n)) => ({
    id: idOf(n),
    generation: 3,
    path,
    lengthBytes: 7_000_000_000 + n,
    crc32: 0xfedcba98,
    facts: { url: `https://cdn/${n}`, attempts: 2, digest: { algorithm: 'sha-256', value: 'ab' } as const },
  }),
  failed: (n: number, attempts = 6) => ({
    id: idOf(n),
    ordinal: n,
    input: `https://h/ü/${n}`,
    attempts,
    error: { code: 'ERR_HTTP_SERVER', message: 'the server answered 503' } as const,
    httpStatus: 503,
  }),
}

const { named, checkpoint, intent, failed } = journalRecords

const asked = {
  request: {
    places: [{ url: 'https://h/ü' }, { url: 'https://mirror/', rank: 2 }],
    target: { path: 'ö/x' },
    withheld: ['cookie'],
    digests: [{ algorithm: 'md5', value: '00' }],
  },
} as const
const wishes = { ...asked, replaces: { lengthBytes: 5_000_000_000, crc32: 0xffffffff } }

export async function outcomesOf(
  journal: Journal,
  filter?: { readonly status?: 'ok' | 'failed' },
): Promise<Outcome[]> {
  return Array.fromAsync(journal.outcomes(filter))
}

function namesOf(journal: Journal): string[] {
  const names: string[] = []
  journal.eachName((path) => names.push(path))
  return names.toSorted()
}

function finish(journal: Journal, n: number, path?: string): void {
  journal.named(named(n, path))
  journal.intent(intent(n, path))
  journal.done(idOf(n))
}

/** One step of a random history. */
export type JournalStep = readonly [
  kind: 'named' | 'checkpoint' | 'intent' | 'done' | 'failed' | 'forget' | 'flush',
  task: number,
  variant: number,
]

export const journalSteps = fc.array(
  fc.tuple(
    fc.constantFrom('named', 'checkpoint', 'intent', 'done', 'failed', 'forget', 'flush' as const),
    fc.nat(7),
    fc.nat(3),
  ),
  { maxLength: 60 },
) as fc.Arbitrary<JournalStep[]>

export function applyStep(journal: Journal, [kind, task, variant]: JournalStep): void {
  const path = `${variant}/${nameOf(task)}`
  if (kind === 'named') journal.named({ ...named(task, path), ...(variant === 2 ? wishes : {}) })
  else if (kind === 'checkpoint') journal.checkpoint(checkpoint(task, variant + 1))
  else if (kind === 'intent') journal.intent(intent(task, path))
  else if (kind === 'done') journal.done(idOf(task))
  else if (kind === 'failed') journal.failed({ ...failed(task, variant), ...(variant === 2 ? asked : {}) })
  else if (kind === 'forget') journal.forget(idOf(task))
  else journal.flush()
}

/** Everything that can be asked of a journal, as one value to compare. */
export async function journalView(journal: Journal, tasks = 8): Promise<unknown> {
  const ids = Array.from({ length: tasks }, (_, n) => idOf(n))
  return {
    states: ids.map((id) => journal.state(id)),
    entries: ids.map((id) => journal.find(id)),
    files: ids.map((id) => {
      const file = journal.doneFile(id)
      return file && [file.path, file.lengthBytes]
    }),
    staged: journal.staged().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    outcomes: await outcomesOf(journal),
    names: namesOf(journal),
    counts: journal.counts(),
  }
}

/** What every Journal promises; see its doc comment. */
export function describeJournalContract(title: string, create: () => JournalUnderTest): void {
  describe(`journal contract: ${title}`, () => {
    let sut: JournalUnderTest | undefined
    const open = (): Journal => {
      sut = create()
      return sut.journal
    }
    /** The journal as the next process sees it, or as it stands where nothing survives. */
    const again = (journal: Journal): Journal => {
      journal.flush()
      return sut?.reopen?.() ?? journal
    }
    afterEach(() => {
      sut?.close()
      sut = undefined
    })

    test('knows nothing at first', async () => {
      const journal = open()
      expect(journal.state(idOf(1))).toBeUndefined()
      expect(journal.find(idOf(1))).toBeUndefined()
      expect(journal.doneFile(idOf(1))).toBeUndefined()
      expect(journal.resumed).toBe(0)
      expect(journal.staged()).toEqual([])
      expect(journal.counts()).toEqual({ named: 0, partial: 0, staged: 0, done: 0, failed: 0 })
      expect(await outcomesOf(journal)).toEqual([])
    })

    test('the way of one file, seen before and after a flush', () => {
      let journal = open()
      journal.named(named(1))
      expect(journal.find(idOf(1))).toEqual({ id: idOf(1), state: 'named', named: named(1) })
      journal.checkpoint(checkpoint(1, 10))
      journal.checkpoint(checkpoint(1, 20))
      const partial = { id: idOf(1), state: 'partial', named: named(1), checkpoint: checkpoint(1, 20) }
      expect(journal.find(idOf(1))).toEqual(partial)
      journal = again(journal)
      expect(journal.find(idOf(1))).toEqual(partial)
      journal.intent(intent(1))
      expect(journal.find(idOf(1))).toEqual({
        id: idOf(1),
        state: 'staged',
        named: named(1),
        intent: intent(1),
      })
      expect(journal.staged()).toEqual([intent(1)])
      expect(journal.doneFile(idOf(1))).toBeUndefined()
      journal = again(journal)
      expect(journal.staged()).toEqual([intent(1)])
      journal.done(idOf(1))
      expect(journal.doneFile(idOf(1))).toMatchObject({ path: nameOf(1), lengthBytes: 7_000_000_001 })
      journal = again(journal)
      expect(journal.state(idOf(1))).toBe('done')
      expect(journal.doneFile(idOf(1))).toMatchObject({ path: nameOf(1), lengthBytes: 7_000_000_001 })
      expect(journal.staged()).toEqual([])
    })

    test('nothing is done without its intent', async () => {
      let journal = open()
      journal.done(idOf(1))
      journal.named(named(2))
      journal.done(idOf(2))
      journal.named(named(3))
      journal.intent(intent(3))
      journal.failed(failed(3))
      journal.done(idOf(3))
      journal = again(journal)
      expect([1, 2, 3].map((n) => journal.state(idOf(n)))).toEqual([undefined, 'named', 'failed'])
      expect((await outcomesOf(journal)).map((each) => each.status)).toEqual(['failed'])
    })

    test('a failure keeps what is on disk, and only the last failure counts', async () => {
      let journal = open()
      journal.named(named(1))
      journal.checkpoint(checkpoint(1))
      for (const attempts of [1, 2, 3]) journal.failed(failed(1, attempts))
      journal = again(journal)
      expect(journal.find(idOf(1))).toEqual({
        id: idOf(1),
        state: 'failed',
        named: named(1),
        checkpoint: checkpoint(1),
        failed: failed(1, 3),
      })
      expect(await outcomesOf(journal)).toMatchObject([
        { id: idOf(1), ordinal: 1, status: 'failed', attempts: 3, httpStatus: 503, input: 'https://h/ü/1' },
      ])
    })

    test('a failure of a task that never got a name', async () => {
      let journal = open()
      journal.failed(failed(1))
      journal = again(journal)
      expect(journal.find(idOf(1))).toEqual({ id: idOf(1), state: 'failed', failed: failed(1) })
      expect(namesOf(journal)).toEqual([])
      expect(await outcomesOf(journal, { status: 'failed' })).toHaveLength(1)
    })

    test('an outcome has the facts of the file', async () => {
      let journal = open()
      finish(journal, 5)
      journal = again(journal)
      expect(await outcomesOf(journal)).toEqual([
        {
          id: idOf(5),
          ordinal: 5,
          input: 'https://h/ü/5',
          status: 'ok',
          path: nameOf(5),
          url: 'https://cdn/5',
          sizeBytes: 7_000_000_005,
          fetchedBytes: 7_000_000_005,
          durationMs: 0,
          attempts: 2,
          digest: { algorithm: 'sha-256', value: 'ab' },
        },
      ])
    })

    test('forget makes a task new and its name free; done again, it has one outcome', async () => {
      let journal = open()
      finish(journal, 1)
      finish(journal, 2)
      journal.forget(idOf(1))
      journal.forget(idOf(9))
      expect(journal.find(idOf(1))).toBeUndefined()
      journal = again(journal)
      expect(journal.state(idOf(1))).toBeUndefined()
      expect(namesOf(journal)).toEqual([nameOf(2)])
      finish(journal, 1, 'other.bin')
      journal = again(journal)
      expect((await outcomesOf(journal)).map((each) => each.path)).toEqual([nameOf(2), 'other.bin'])
      expect(namesOf(journal)).toEqual([nameOf(2), 'other.bin'])
      expect(journal.counts()).toMatchObject({ done: 2 })
    })

    test('outcomes come once for each task, in the order in which they ended', async () => {
      let journal = open()
      for (const n of [3, 1, 2]) finish(journal, n)
      journal.failed(failed(7))
      finish(journal, 4)
      journal.failed(failed(8))
      finish(journal, 7)
      journal = again(journal)
      const ordinals = async (status?: 'ok' | 'failed'): Promise<number[]> =>
        (await outcomesOf(journal, status && { status })).map((each) => each.ordinal)
      expect(await ordinals()).toEqual([3, 1, 2, 4, 8, 7])
      expect(await ordinals('ok')).toEqual([3, 1, 2, 4, 7])
      expect(await ordinals('failed')).toEqual([8])
    })

    test('a file that was given another name has the one of its last intent', () => {
      let journal = open()
      journal.named(named(1, 'a.bin'))
      journal.intent(intent(1, 'a.bin'))
      journal.intent(intent(1, 'a (1).bin'))
      journal.done(idOf(1))
      journal = again(journal)
      expect(journal.doneFile(idOf(1))?.path).toBe('a (1).bin')
      expect(namesOf(journal)).toEqual(['a (1).bin'])
    })

    test('eachName gives one name for each task, whatever its state', () => {
      let journal = open()
      journal.named(named(1))
      journal.named(named(2))
      journal.checkpoint(checkpoint(2))
      journal.named(named(3))
      journal.intent(intent(3))
      finish(journal, 4)
      journal.named(named(5))
      journal.checkpoint(checkpoint(5))
      journal.failed(failed(5))
      journal.failed(failed(6))
      journal = again(journal)
      expect(namesOf(journal)).toEqual([1, 2, 3, 4, 5].map(nameOf))
      expect(journal.counts()).toEqual({ named: 1, partial: 1, staged: 1, done: 1, failed: 2 })
    })

    test('texts of any length and script', () => {
      let journal = open()
      const input = `https://h/${'𝒳ü'.repeat(400_000)}`
      journal.named({ ...named(1), input, path: 'ﷺ/日本語/😀'.repeat(100) })
      journal.failed({
        ...failed(2),
        input,
        error: { ...failed(2).error, message: input, context: { url: input } },
      })
      finish(journal, 3)
      journal = again(journal)
      expect(journal.find(idOf(1))?.named?.path).toBe('ﷺ/日本語/😀'.repeat(100))
      expect(journal.find(idOf(1))?.named?.input.startsWith('https://h/𝒳ü𝒳ü')).toBe(true)
      expect(journal.find(idOf(2))?.failed?.error.code).toBe('ERR_HTTP_SERVER')
      expect(journal.state(idOf(3))).toBe('done')
    })

    test('outcomes are read while the journal goes on', async () => {
      const journal = open()
      for (let n = 0; n < 50; n++) finish(journal, n)
      let seen = 0
      for await (const outcome of journal.outcomes()) {
        expect(outcome.ordinal).toBe(seen++)
        if (seen < 10) finish(journal, 100 + seen)
        journal.flush()
      }
      expect(seen).toBeGreaterThanOrEqual(50)
    })

    test('random histories: what is asked before and after a new start is the same', async () => {
      await fc.assert(
        fc.asyncProperty(journalSteps, async (steps) => {
          let journal = open()
          try {
            for (const step of steps) applyStep(journal, step)
            const before = await journalView(journal)
            journal = again(journal)
            expect(await journalView(journal)).toEqual(before)
            expect(journal.state(idOf(99))).toBeUndefined()
          } finally {
            sut?.close()
            sut = undefined
          }
        }),
        { numRuns: 60 },
      )
    })
  })
}
