export { createSampleWriter } from './create-sample-writer.ts'
export { createLogTable, createMetadataTable, type SampleTable } from './metadata-table.ts'
export {
  isRowCode,
  rowCodeNames,
  rowCodes,
  rowFailure,
  rowSelector,
  type RowCode,
  type RowFailure,
  type RowSelector,
  type SampleStatus,
} from './row-code.ts'
export type { SampleLayout } from './sample-layout.ts'
export { sampleNamer, type SampleName } from './sample-names.ts'
export type { SampleWriter, SampleWriterProperties, WrittenFile } from './sample-writer.ts'
export {
  failedSample,
  goodSample,
  unreadableSample,
  type Sample,
  type SampleFacts,
  type SampleImage,
  type SampleRun,
} from './sample.ts'
