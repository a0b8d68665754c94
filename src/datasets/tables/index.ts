export {
  castSql,
  quoteName,
  quoteText,
  textProbeSql,
  typeOfDuckDb,
  typeOfTags,
  typeOfText,
  unifyTypes,
  type ColumnType,
} from './column-type.ts'
export { firstLine, openDatabase, queryError, type Database, type DatabaseOptions } from './database.ts'
export { fingerprintTable, type TableFingerprint } from './fingerprint.ts'
export { problemColumn } from './stage-writer.ts'
export {
  stageParquetByRow,
  stageTable,
  storedName,
  tagColumn,
  type StageContext,
  type StagedTable,
  type TableRequest,
} from './stage-table.ts'
export { findTables, type TableFile, type TableFormat } from './table-file.ts'
