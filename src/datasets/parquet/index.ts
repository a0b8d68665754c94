export {
  openParquet,
  openRangeSource,
  type ParquetFile,
  type ParquetSelection,
  type RangeSource,
} from './parquet-reader.ts'
export {
  createParquetWriter,
  type ParquetColumn,
  type ParquetFileWriter,
  type ParquetImage,
  type ParquetType,
  type ParquetValue,
  type ParquetWriterOptions,
} from './parquet-writer.ts'
