import { buildWalkTable, type WalkTable } from './jpeg-tables.ts'

/**
 * Tables that were built before, by their definition. Most encoders write the same four into every file, and building
 * them anew costs 128 KiB of memory each.
 */
const known = new Map<string, WalkTable | undefined>()
const mostKnown = 12

/** As `buildWalkTable`. */
export function walkTable(counts: Buffer, symbols: Buffer, ac: boolean): WalkTable | undefined {
  const key = `${ac ? 'a' : 'd'}${counts.toString('latin1')}${symbols.toString('latin1')}`
  const before = known.get(key)
  if (before !== undefined) {
    // What was used last stays longest.
    known.delete(key)
    known.set(key, before)
    return before
  }
  const table = buildWalkTable(counts, symbols, ac)
  known.set(key, table)
  if (known.size > mostKnown) {
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }
  return table
}
