export { GatherWriter, type FileRange } from './gather-writer.ts'
export { PartFile, partPath, refuseExisting, type PartOptions } from './part-file.ts'
export { readUpTo } from './read-up-to.ts'
