import { TrawlError } from '../core/index.ts'

/** Throws ERR_OUTPUT_FORMAT for a format that other tools write and trawl does not, with what to use instead. */
export function refuseOutputFormat(format: unknown): void {
  if (typeof format !== 'string' || !/^tf-?records?$/i.test(format)) return
  throw new TrawlError('ERR_OUTPUT_FORMAT', 'TFRecord files are not written', {
    hint: 'Use --output-format webdataset (tar shards) or parquet.',
  })
}
