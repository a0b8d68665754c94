import { describeLocator, type DownloadTask, type Validators } from '../../core/index.ts'
import { parseHttpDate } from '../../http/index.ts'
import type { FileFacts } from '../../storage/index.ts'
import type { EntityFacts, StagedTransfer } from '../transfer/transfer.ts'
import type { CommitFacts } from './destination.ts'

/** What is worth keeping of a file's facts: what goes without saying is left out, since millions may be kept. */
export function recordedFacts(task: DownloadTask, staged: StagedTransfer, outcome: CommitFacts): FileFacts {
  const { facts } = staged
  const kept: { -readonly [K in keyof FileFacts]: FileFacts[K] } = {
    durationMs: Math.round(outcome.durationMs),
  }
  if (facts.url !== undefined && facts.url !== describeLocator(task.locator)) kept.url = facts.url
  if (facts.validators !== undefined) kept.validators = facts.validators
  if (facts.contentType !== undefined) kept.contentType = facts.contentType
  if (facts.digest !== undefined) kept.digest = facts.digest
  if (facts.unverifiedLength) kept.unverifiedLength = true
  if (outcome.attempts !== 1) kept.attempts = outcome.attempts
  if (outcome.fetchedBytes !== staged.lengthBytes) kept.fetchedBytes = outcome.fetchedBytes
  return kept
}

/** Same length and the modification time that the server tells: the validator a file of a stranger has. */
export function isSameFile(
  found: { readonly size: number; readonly mtimeMs: number },
  facts: EntityFacts,
): boolean {
  const modifiedS = modifiedSeconds(facts.validators)
  return (
    facts.lengthBytes === found.size &&
    modifiedS !== undefined &&
    Math.floor(found.mtimeMs / 1000) === modifiedS
  )
}

/** Last-Modified in seconds since 1970; undefined where the server tells none. */
export function modifiedSeconds(validators: Validators | undefined): number | undefined {
  const ms = parseHttpDate(validators?.lastModified)
  return ms === undefined ? undefined : Math.floor(ms / 1000)
}

const htmlNames = /\.(?:x?html?|php|aspx?|jsp|cgi)$|\/$/i

/** HTML where the address promises something else: a log-in page or an error told with 200. */
export function isUnexpectedHtml(url: string, facts: EntityFacts): boolean {
  if (!facts.contentType?.startsWith('text/html')) return false
  const path = url.replace(/[?#].*$/, '').replace(/^[a-z]+:\/\/[^/]*/i, '')
  return /\.[a-z0-9]{1,8}$/i.test(path) && !htmlNames.test(path)
}
