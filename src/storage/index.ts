export { FolderLock, type LockOwner } from './folder-lock.ts'
export { FolderView, namesIn, type FolderSummary, type LeftItem } from './folder-view.ts'
export { compactJournal, type CompactedJournal } from './journal/compact-journal.ts'
export { FileJournal, type FileJournalOptions } from './journal/file-journal.ts'
export type {
  CheckpointRecord,
  DoneFile,
  FailedRecord,
  FileFacts,
  IntentRecord,
  Journal,
  JournalEntry,
  NamedRecord,
  ReplacedFile,
  TaskState,
} from './journal/journal.ts'
export type { LogDamage } from './journal/log-file.ts'
export { MemoryJournal } from './journal/memory-journal.ts'
export { TaskIndex } from './journal/task-index.ts'
export { ExtentSet } from './sink/extent-set.ts'
export { FileSink } from './sink/file-sink.ts'
export { MemorySink } from './sink/memory-sink.ts'
export { publish } from './sink/publish.ts'
export type { CommitOptions, Sink, SinkProperties } from './sink/sink.ts'
export { Volume, type Durability } from './sink/volume.ts'
export { freeBytes } from './free-bytes.ts'
export { syncPath } from './sync-path.ts'
export { makeOutputFolder } from './make-output-folder.ts'
export { OutputFolder, safePointsName, stateFolderName, type OutputFolderOptions } from './output-folder.ts'
export { SafePoints, type PowerLoss } from './safe-points.ts'
export { ReportFile, type ReportLine } from './report-file.ts'
export { StateDatabase, stateFileName, type HostCeiling } from './state/state-database.ts'
export { requirePlace } from './require-place.ts'
export { storageError, storageReason } from './storage-error.ts'
export * from './naming/index.ts'
