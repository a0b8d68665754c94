export { parseShardStats, readShardStats, ShardTally, type ShardStats } from './shard-stats.ts'
export { finishSwaps, localTarget, type ShardTarget } from './shard-target.ts'
export { createShardWriter, type ShardWriter, type ShardWriterOptions } from './shard-writer.ts'
