import { describeLocator, TrawlError, type DownloadTask } from '../../core/index.ts'
import type { EntityFacts } from '../transfer/transfer.ts'
import { isUnexpectedHtml } from './file-facts.ts'

/** What is refused when the headers of an answer are there. */
export interface BodyLimits {
  /** Longer files fail with ERR_TOO_LARGE. */
  readonly maxSizeBytes?: number | undefined
  readonly acceptHtml: boolean
}

/** Throws ERR_TOO_LARGE, and ERR_CONTENT_UNEXPECTED for a page in place of a file. */
export function refuseBody(limits: BodyLimits, task: DownloadTask, facts: EntityFacts): void {
  const { maxSizeBytes, acceptHtml } = limits
  const length = facts.lengthBytes
  if (length !== undefined && maxSizeBytes !== undefined && length > maxSizeBytes) {
    throw new TrawlError('ERR_TOO_LARGE', `the file has ${length} bytes, allowed are ${maxSizeBytes}`)
  }
  if (!acceptHtml && isUnexpectedHtml(describeLocator(task.locator), facts)) {
    throw new TrawlError('ERR_CONTENT_UNEXPECTED', 'the server sent an HTML page instead of the file', {
      context: { url: facts.url },
    })
  }
}
