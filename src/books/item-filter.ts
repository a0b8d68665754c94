import { TrawlError } from '../core/index.ts'
import type { SourceItem } from '../sources/index.ts'

/** Leaves out what an expression denies, lazily. */
export type ItemFilter = (items: AsyncIterable<SourceItem>) => AsyncIterable<SourceItem>

/** Throws ERR_CONFIG_INVALID with what is wrong with the expression. */
export async function createItemFilter(expression: string): Promise<ItemFilter> {
  await Promise.resolve()
  throw new TrawlError('ERR_CONFIG_INVALID', `--filter: ${expression}`)
}
