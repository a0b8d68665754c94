/** How shards and samples of a dataset are named: as img2dataset names them. */
export interface ShardNaming {
  /** Rows in one shard; the last may have fewer. */
  readonly shardSize: number
  /** Digits of shard names (oom_shard_count of img2dataset, default 5). */
  readonly shardDigits: number
}

/** `00042`; longer where the number has more digits. */
export function shardName(shard: number, { shardDigits }: ShardNaming): string {
  return String(shard).padStart(shardDigits, '0')
}

/**
 * The key of a sample: the number of its shard followed by its index in it, such as `000420007` (5 and 4 digits).
 * The index takes ceil(log10(shardSize)) digits.
 */
export function sampleKey(shard: number, index: number, naming: ShardNaming): string {
  const digits = indexDigits(naming.shardSize)
  return shardName(shard, naming) + (digits === 0 ? '' : String(index).padStart(digits, '0'))
}

/** ceil(log10(shardSize)), without the rounding errors of logarithms. */
function indexDigits(shardSize: number): number {
  return String(shardSize - 1).length * Number(shardSize > 1)
}

/** The files of one shard in the output folder. Not all of them exist for every output format. */
export interface ShardFiles {
  readonly tar: string
  readonly tarIndex: string
  readonly parquet: string
  readonly log: string
  /** Its presence says that the shard is done. */
  readonly stats: string
}

/** File names relative to the output folder. */
export function shardFiles(name: string): ShardFiles {
  return {
    tar: `${name}.tar`,
    tarIndex: `${name}.idx`,
    parquet: `${name}.parquet`,
    log: `${name}_log.parquet`,
    stats: `${name}_stats.json`,
  }
}

/** The shard that a stats file belongs to; undefined for any other file. */
export function shardOfStats(fileName: string): number | undefined {
  const match = /^(\d+)_stats\.json$/.exec(fileName)
  return match ? Number(match[1]) : undefined
}

/** The folders that a shard's image files lie in: one, or several of at most `folderSize` rows. */
export function imageFolder(name: string, index: number, folderSize: number | undefined): string {
  return folderSize === undefined ? name : `${name}-${Math.floor(index / folderSize)}`
}

/** True for the folders that `imageFolder` gives to this shard. */
export function isImageFolder(folder: string, name: string): boolean {
  return folder === name || (folder.startsWith(`${name}-`) && /^\d+$/.test(folder.slice(name.length + 1)))
}
