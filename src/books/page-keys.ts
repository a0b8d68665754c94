import { murmur128, type Locator, type Page } from '../core/index.ts'

/** Gives each page of a work an identity that does not depend on its position: the same page again gets another. */
export function createPageKeys(): (page: Page) => string {
  const seen = new Map<string, number>()
  return (page) => {
    const what = murmur128(JSON.stringify([page.localPath, whereOf(page.locator), page.layers?.map(layerOf)]))
    const count = (seen.get(what) ?? 0) + 1
    seen.set(what, count)
    return count === 1 ? what : `${what}-x${count}`
  }
}

function whereOf(locator: Locator | undefined): string | undefined {
  if (locator === undefined) return undefined
  return locator.kind === 'source' ? `${locator.source}:${locator.ref}` : locator.places[0]?.url
}

function layerOf(layer: NonNullable<Page['layers']>[number]): unknown {
  const { locator, x, y, widthPx, heightPx, crop } = layer
  return [whereOf(locator), x, y, widthPx, heightPx, crop]
}
