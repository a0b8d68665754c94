import { createFilesWriter } from './files-writer.ts'
import { createParquetSampleWriter } from './parquet-sample-writer.ts'
import { checkLayout, type SampleLayout } from './sample-layout.ts'
import type { SampleWriter } from './sample-writer.ts'
import { createWebDatasetWriter } from './webdataset-writer.ts'

/**
 * The writer for a layout. Its temporary files lie in `folder`; `shard` is the name of the shard.
 * Throws ERR_CONFIG_INVALID for a layout that does not fit together, and storage errors.
 */
export async function createSampleWriter(
  folder: string,
  shard: string,
  layout: SampleLayout,
): Promise<SampleWriter> {
  checkLayout(layout)
  if (layout.outputFormat === 'webdataset') return createWebDatasetWriter(folder, shard, layout)
  if (layout.outputFormat === 'parquet') return createParquetSampleWriter(folder, shard, layout)
  return createFilesWriter(folder, shard, layout)
}
