import type { ImageCandidate } from './candidate.ts'

/** Images of one list of a page, and what speaks for it being the work. */
export interface ScoredGroup {
  readonly path: string
  readonly score: number
  readonly candidates: readonly ImageCandidate[]
}

const decoration =
  /(?:^|[/_.-])(?:icons?|logo|avatars?|sprites?|banners?|buttons?|btn|badges?|emoji|spacer|pixel|blank|loading|loader|placeholder|spinner|gravatar|favicon|flags?|ads?|advert\w*|tracking|analytics|rss|share|social)(?:[/_.\d-]|$)/i
const sideWords =
  /(?:related|recommend|suggest|similar|popular|trending|sidebar|widget|comment|author|profile|share|social|sponsor|promo|advert|more-from)/i
const thumbWords = /(?:thumb|preview|strip|carousel-nav|filmstrip|pager)/i

/** True for icons, buttons and counters: tiny, of extreme shape, or named so. */
export function isDecoration(candidate: ImageCandidate): boolean {
  const { widthPx, heightPx, url } = candidate
  if (widthPx !== undefined && heightPx !== undefined) {
    if (Math.max(widthPx, heightPx) < 80 || Math.min(widthPx, heightPx) < 24) return true
    // Long strips of comics are tall, but nothing but banners is this wide.
    if (widthPx / heightPx > 6) return true
  } else if ((widthPx ?? heightPx ?? 1000) < 48) return true
  const path = url.replace(/^[a-z]+:\/\/[^/]+/i, '').replace(/[?#].*$/s, '')
  if (/\.(?:svg|ico)$/i.test(path)) return true
  return candidate.kind === 'shown' && decoration.test(path)
}

/**
 * The groups of images of a page, best first. Pure and deterministic: a score is the count of the group times factors
 * for size, kind, place and names; equal scores keep the order of the page.
 */
export function scoreGroups(candidates: readonly ImageCandidate[]): readonly ScoredGroup[] {
  const groups = new Map<string, ImageCandidate[]>()
  for (const candidate of candidates) {
    if (isDecoration(candidate)) continue
    const key = `${candidate.kind} ${candidate.path}`
    groups.set(key, [...(groups.get(key) ?? []), candidate])
  }
  return [...groups.values()]
    .map((group) => ({ path: group[0]?.path ?? '', score: scoreOf(group), candidates: group }))
    .sort((a, b) => b.score - a.score || (a.candidates[0]?.order ?? 0) - (b.candidates[0]?.order ?? 0))
}

/**
 * The image sequence of a page in its order: the best group, with groups beside it that are much like it, each image
 * once. `preferredPath` is the group that was chosen on the page before, which wins when it is there.
 */
export function chooseSequence(
  candidates: readonly ImageCandidate[],
  preferredPath?: string,
): { readonly path: string; readonly images: readonly ImageCandidate[] } | undefined {
  const groups = scoreGroups(candidates)
  const best = groups.find((group) => group.path === preferredPath) ?? groups[0]
  if (best === undefined) return undefined
  const first = best.candidates[0]
  const container = parentPath(best.path)
  const alike = groups.filter((group) => {
    const kind = group.candidates[0]?.kind
    // Data of a page repeats what the page shows.
    if (group === best || isHidden(kind) || isHidden(first?.kind) || container === undefined) return false
    const near = group.path.startsWith(`${container}>`)
    return near && qualityOf(group.candidates) >= qualityOf(best.candidates) * 0.6
  })
  const all = [best, ...alike].flatMap((group) => group.candidates).sort((a, b) => a.order - b.order)
  const seen = new Set<string>()
  const images = all.filter(({ url }) => !seen.has(url) && seen.add(url))
  return { path: best.path, images }
}

/** The one image that a page is about: what scores best by itself, not by its number. */
export function chooseSingle(candidates: readonly ImageCandidate[]): ImageCandidate | undefined {
  const groups = scoreGroups(candidates).map(({ score, candidates: images }) => ({
    each: score / images.length,
    images,
  }))
  groups.sort((a, b) => b.each - a.each || a.images.length - b.images.length)
  return groups[0]?.images[0]
}

function isHidden(kind: ImageCandidate['kind'] | undefined): boolean {
  return kind === 'data' || kind === 'named'
}

/**
 * The container of a list: two steps up, since images often stand in an anchor, a figure or an item of their own.
 * Undefined where that is the whole page.
 */
function parentPath(path: string): string | undefined {
  const steps = path.split('>').slice(0, -2)
  const last = steps.at(-1)
  return last === undefined || /^(?:html|body)(?:\.|$)/.test(last) ? undefined : steps.join('>')
}

/** Count, quality and kind together; a list of numbered files is more. */
function scoreOf(group: readonly ImageCandidate[]): number {
  const kinds = { linked: 2.5, shown: 1, data: group.length >= 3 ? 1.2 : 0.5, named: 0.05 }
  const kind = kinds[group[0]?.kind ?? 'shown']
  return group.length * qualityOf(group) * kind * (isNumbered(group) ? 1.6 : 1)
}

/** What speaks for each image of a group: its size, its place, and names around it. */
function qualityOf(group: readonly ImageCandidate[]): number {
  const share = (test: (candidate: ImageCandidate) => boolean): number =>
    group.filter(test).length / group.length
  const path = group[0]?.path ?? ''
  let quality = sizeFactor(group)
  // Images that lead to other pages are signposts.
  quality *= 1 - 0.75 * share((one) => one.leadsTo !== undefined)
  quality *= 1 - 0.9 * share((one) => one.aside)
  quality *= 1 + 0.5 * share((one) => one.central)
  if (sideWords.test(path)) quality *= 0.1
  if (thumbWords.test(path) && group[0]?.kind === 'shown') quality *= 0.4
  return quality
}

/** Around 1 for unknown sizes and half a megapixel; less for small ones. */
function sizeFactor(group: readonly ImageCandidate[]): number {
  const areas = group
    .flatMap(({ widthPx, heightPx }) =>
      widthPx === undefined || heightPx === undefined ? [] : [widthPx * heightPx],
    )
    .sort((a, b) => a - b)
  const median = areas[Math.floor(areas.length / 2)]
  if (median === undefined) return 1
  return Math.min(4, Math.max(0.05, median / 400_000))
}

/** Names that count upwards, such as 001.jpg and 002.jpg, are pages. */
function isNumbered(group: readonly ImageCandidate[]): boolean {
  if (group.length < 3) return false
  const numbers = group.map(({ url }) =>
    Number(/(\d{1,6})\D*$/.exec(url.replace(/[?#].*$/s, '').replace(/\.\w+$/, ''))?.[1]),
  )
  let steps = 0
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] ?? NaN) - (numbers[i - 1] ?? NaN) === 1) steps++
  return steps >= (group.length - 1) * 0.7
}
