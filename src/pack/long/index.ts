export { LongWriter } from './long-writer.ts'
