import type { Outcome } from '../core/index.ts'
import type { BookRecord } from './book-record.ts'
import { createPageKeys } from './page-keys.ts'
import type { PlannedPage } from './planned-work.ts'
import { stands } from './publish-book.ts'

/** True where a work was made whole before, with the same pages and settings, and its containers still stand. */
export function isUnchanged(
  before: BookRecord,
  now: {
    readonly pages: readonly PlannedPage[]
    readonly settings: string
    readonly dir: string
    /** SHA-256 of images that are no pages. */
    readonly refused: readonly string[]
  },
): boolean {
  if (before.state !== 'done' || before.settings !== now.settings) return false
  if (before.pages.length !== now.pages.length || before.pages.some((page) => page.missing)) return false
  const refused = new Set(now.refused.map((digest) => digest.toLowerCase()))
  if (before.pages.some(({ sha256 = '' }) => refused.has(sha256))) return false
  const keyOf = createPageKeys()
  return (
    now.pages.every(({ page }, i) => keyOf(page) === before.pages[i]?.key) &&
    before.containers.every((container) => stands(container, now.dir))
  )
}

/** The outcomes of the pages of an unchanged work, in order. */
export function unchangedOutcomes(
  before: BookRecord,
): readonly { readonly outcome: Outcome; readonly number: number; readonly label?: string }[] {
  return before.pages.map(({ key, url, sizeBytes = 0, label }, index) => ({
    outcome: {
      id: key,
      ordinal: index,
      input: url,
      status: 'skipped',
      skipReason: 'finished-before',
      sizeBytes,
      fetchedBytes: 0,
      durationMs: 0,
      attempts: 0,
    },
    number: index + 1,
    ...(label === undefined ? {} : { label }),
  }))
}
