import type { CheerioAPI } from 'cheerio/slim'
import { looksLikeImage } from '../image-url.ts'
import { resolveUrl } from './candidates.ts'

const nextWords =
  /^(?:next(?:\s+page)?|older(?:\s+posts)?|weiter|nächste(?:\s+seite)?|suivante?|siguiente|avanti|volgende|próxima|次(?:へ|のページ)?|下一[页頁]|›|»|→|>|>>|next\s*[›»→>]+)$/i
const pagers =
  '[class*="pag"], [class*="Pag"], [id*="pag"], [class*="nav-links"], [class*="wp-pagenavi"], [role="navigation"], nav'

/**
 * The next page of the same work: `rel=next`, else in a pager the anchor that says so or that bears the number after
 * the current one. Only pages of the same host.
 */
export function nextPage($: CheerioAPI, base: string, current: string): string | undefined {
  const usable = (href: string | undefined): string | undefined => {
    const url = resolveUrl(href, base)
    if (url === undefined || looksLikeImage(url) || withoutHash(url) === withoutHash(current))
      return undefined
    return new URL(url).host === new URL(current).host ? url : undefined
  }
  for (const element of $('link[rel~="next"], a[rel~="next"]').toArray()) {
    const url = usable($(element).attr('href'))
    if (url !== undefined) return url
  }
  for (const pager of $(pagers).toArray()) {
    const anchors = $(pager).find('a[href]').toArray()
    for (const anchor of anchors) {
      const $anchor = $(anchor)
      const text = $anchor.text().replace(/\s+/g, ' ').trim()
      const said = [text, $anchor.attr('aria-label') ?? '', $anchor.attr('title') ?? '']
      const url = said.some((one) => nextWords.test(one)) ? usable($anchor.attr('href')) : undefined
      if (url !== undefined) return url
    }
    const marked = $(pager).find('[aria-current], .current, .active, strong, b').first().text().trim()
    if (!/^\d{1,5}$/.test(marked)) continue
    const after = anchors.find((anchor) => $(anchor).text().trim() === String(Number(marked) + 1))
    const url = after === undefined ? undefined : usable($(after).attr('href'))
    if (url !== undefined) return url
  }
  return undefined
}

function withoutHash(url: string): string {
  return url.replace(/#.*$/s, '')
}
