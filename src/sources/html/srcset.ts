export interface SrcsetEntry {
  readonly url: string
  /** Pixels for `w`, density for `x`; 1x when nothing is said. */
  readonly unit: 'w' | 'x'
  readonly value: number
}

/**
 * Parses a `srcset` attribute (HTML Living Standard, 4.8.4.2.1). URLs may hold commas: one ends an entry only when
 * it is followed by a blank or ends the URL.
 */
export function parseSrcset(text: string): readonly SrcsetEntry[] {
  const entries: SrcsetEntry[] = []
  let rest = text
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '')
    const url = /^\S+/.exec(rest)?.[0]
    if (url === undefined) return entries
    rest = rest.slice(url.length)
    let descriptor = ''
    if (!url.endsWith(',')) {
      const end = rest.indexOf(',')
      descriptor = (end === -1 ? rest : rest.slice(0, end)).trim()
      rest = end === -1 ? '' : rest.slice(end + 1)
    }
    const match = /(?:^|\s)(\d+(?:\.\d+)?)([wx])(?:\s|$)/.exec(descriptor)
    entries.push({
      url: url.replace(/,+$/, ''),
      unit: match?.[2] === 'w' ? 'w' : 'x',
      value: match === null ? 1 : Number(match[1]),
    })
  }
}

/** The largest entry; the first of equals. */
export function largestOf(entries: readonly SrcsetEntry[]): SrcsetEntry | undefined {
  let best: SrcsetEntry | undefined
  for (const entry of entries) {
    const better =
      best === undefined ||
      (entry.unit === best.unit ? entry.value > best.value : entry.unit === 'w' && best.unit === 'x')
    if (better) best = entry
  }
  return best
}
