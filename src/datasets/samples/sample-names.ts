import { murmur128 } from '../../core/index.ts'
import { decodeSegment, nameKey, safeFileName } from '../../storage/index.ts'
import { imageFolder } from '../layout/shard-names.ts'
import type { ShardRow } from '../plan/index.ts'
import type { SampleLayout } from './sample-layout.ts'

/** Where the files of a sample lie, relative to the output folder and without extension. */
export interface SampleName {
  readonly folder: string
  readonly base: string
}

/** Room for `.json` behind a name, and for the number of one that is taken. */
const reserveBytes = 16

/**
 * Gives names to the rows of one shard. Every row gets one, in plan order, whether its image arrives or not: so the
 * names of the others do not change when a row is fetched again. A name that is taken gets a number.
 */
export function sampleNamer(shard: string, layout: SampleLayout): (row: ShardRow) => SampleName {
  /** By folder: keys of the names that are taken, each with the next number to try. */
  const taken = new Map<string, Map<string, number>>()
  return (row) => {
    const folder = imageFolder(shard, row.index, layout.folderSize)
    const names = taken.get(folder) ?? new Map<string, number>()
    taken.set(folder, names)
    const wanted = safeFileName(wantedName(row, layout.nameFormat ?? 'key'), { reserveBytes })
    let base = wanted
    let number = names.get(nameKey(wanted)) ?? 1
    while (names.has(nameKey(base))) base = `${wanted} (${number++})`
    names.set(nameKey(wanted), number)
    names.set(nameKey(base), names.get(nameKey(base)) ?? 1)
    return { folder, base }
  }
}

function wantedName(row: ShardRow, nameFormat: string): string {
  if (nameFormat === 'url') return urlName(row.url) || row.key
  // Not left to chance: a second run gives the same names.
  if (nameFormat === 'random') return murmur128(`${row.key}\n${row.url}`).slice(0, 16)
  if (!nameFormat.startsWith('column:')) return row.key
  const value = row.columns[nameFormat.slice('column:'.length)]
  return value === null || value === undefined || value === '' ? row.key : String(value)
}

/** The last part of the path up to its first dot. */
function urlName(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : ''
  const last = decodeSegment(path.slice(path.lastIndexOf('/') + 1))
  return last.split('.')[0] ?? ''
}
