import type { DatasetCommandOptions } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'

/**
 * Throws ERR_CONFIG_INVALID for an output or a queue that is not on this machine: neither is written or asked, and
 * nobody should find out from a local folder named `s3:`.
 */
export function refuseFarPlaces({ dir, queue }: Pick<DatasetCommandOptions, 'dir' | 'queue'>): void {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(dir)) {
    throw new TrawlError('ERR_CONFIG_INVALID', `dir: datasets are written to folders, not to ${dir}`, {
      hint: 'Write to a folder and copy its files, or mount the store.',
    })
  }
  if (queue === 'local') return
  throw new TrawlError('ERR_CONFIG_INVALID', 'queue: shards are shared out in the output folder alone', {
    hint: 'Start `trawl dataset worker -d DIR` on machines that see the same folder, without --queue.',
  })
}
