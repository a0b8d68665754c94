import type { Chapter } from '../core/index.ts'
import type { SourceItem } from './source.ts'

const worded = /\b(?:volumes?|vol|band|bd|tome|tomo)\.?[\s-]*#?\s*0*(\d+(?:\.\d+)?)\b/i
/** `v01`, and `v2` only where no number stands before it: behind a chapter's number it is its version. */
const lettered = /^\D*\bv\.?\s?0*(\d+(?:\.\d+)?)\b/i
const counted = /(\d+)\s*巻/

/** The number of the volume that a heading names: `Volume 2`, `vol_03 ch 12`, `v01`, `第3巻`; undefined when there is none. */
export function volumeNumber(title: string): number | undefined {
  const text = title.replaceAll('_', ' ')
  const found = worded.exec(text) ?? lettered.exec(text) ?? counted.exec(text)
  return found?.[1] === undefined ? undefined : Number(found[1])
}

/**
 * Gives each chapter its volume: the one that its source says, else the one in its title, else that of the heading it
 * stands below. Everything else goes through as it is.
 */
export async function* withVolumes(
  items: AsyncIterable<SourceItem>,
): AsyncGenerator<SourceItem, void, undefined> {
  let above: readonly Chapter[] = []
  for await (const item of items) {
    if (item.type !== 'chapter') {
      yield item
      continue
    }
    above = above.filter((other) => other.depth < item.chapter.depth)
    const volume = item.chapter.volume ?? volumeNumber(item.chapter.title) ?? above.at(-1)?.volume
    const chapter = volume === undefined ? item.chapter : { ...item.chapter, volume }
    above = [...above, chapter]
    yield { ...item, chapter }
  }
}
