import { TrawlError } from '../../core/index.ts'
import type { ResponseHeaders } from '../../http/index.ts'

/** The directives of X-Robots-Tag that img2dataset heeds by default. */
const defaultDisallowed = ['noai', 'noimageai', 'noindex', 'noimageindex'] as const

export interface OptOutOptions {
  /** Product token of the crawler: directives that are addressed to it count too. */
  readonly token?: string
  /** Directives that opt out; default `defaultDisallowed`. */
  readonly disallowed?: readonly string[]
  /** Heed `TDM-Reservation: 1` (W3C TDM Reservation Protocol). Default true. */
  readonly tdm?: boolean
}

/** A header that says the content is not for datasets. */
export interface OptOut {
  /** In lower case. */
  readonly header: 'x-robots-tag' | 'tdm-reservation'
  readonly directive: string
}

/** Directives with a value behind a colon, which is no crawler's name. */
const valued = /^(unavailable_after|max-snippet|max-image-preview|max-video-preview)$/

/**
 * Whether an answer opts out; undefined where it does not. X-Robots-Tag is read as img2dataset reads it: a directive
 * counts when it is addressed to nobody or, as in `mybot: noai, noindex`, to our token. `none` stands for `noindex`.
 */
export function optOut(headers: ResponseHeaders, options: OptOutOptions = {}): OptOut | undefined {
  const disallowed = new Set(
    (options.disallowed ?? defaultDisallowed).map((word) => word.trim().toLowerCase()),
  )
  for (const value of valuesOf(headers, 'x-robots-tag')) {
    const directive = directivesFor(value, options.token?.toLowerCase()).find(
      (word) => disallowed.has(word) || (word === 'none' && disallowed.has('noindex')),
    )
    if (directive !== undefined) return { header: 'x-robots-tag', directive }
  }
  const reserved = valuesOf(headers, 'tdm-reservation').some((value) => value.trim() === '1')
  return reserved && options.tdm !== false ? { header: 'tdm-reservation', directive: '1' } : undefined
}

/** An opt-out as the error of its row: ERR_ROBOTS_DISALLOWED, told apart by `optOut` in its context. */
export function optOutError(found: OptOut): TrawlError {
  return new TrawlError('ERR_ROBOTS_DISALLOWED', `the answer opts out: ${found.header}: ${found.directive}`, {
    context: { optOut: true, header: found.header },
    hint: 'See --disallowed-directives.',
  })
}

function directivesFor(value: string, token: string | undefined): string[] {
  const words: string[] = []
  let addressee: string | undefined
  for (const item of value.split(',')) {
    const colon = item.indexOf(':')
    const name = colon < 0 ? '' : item.slice(0, colon).trim().toLowerCase()
    if (colon >= 0 && valued.test(name)) continue
    if (colon >= 0) addressee = name
    const word = item
      .slice(colon + 1)
      .trim()
      .toLowerCase()
    if (word !== '' && (addressee === undefined || addressee === '*' || addressee === token)) words.push(word)
  }
  return words
}

function valuesOf(headers: ResponseHeaders, name: string): readonly string[] {
  const value = headers[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}
