import robotsParser from 'robots-parser'

// The types of the package describe an ES module, but it is CommonJS: its default export is the function itself.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const parseRobots = robotsParser as unknown as typeof robotsParser.default

/** RFC 9309, 2.5: at least this much must be read; more is not. */
const maxTextLength = 512 * 1024

/** What a host's robots.txt lets one crawler do. */
export interface RobotsPolicy {
  /** Whether the crawler may ask for this URL of the host. `/robots.txt` itself always. */
  isAllowed(url: string): boolean
  /** The Crawl-delay for the crawler; not part of the RFC, but often given. */
  readonly crawlDelayMs?: number
}

/** How asking for robots.txt ended. Redirects have been followed (at least five, RFC 9309, 2.3.1.2). */
export type RobotsAnswer =
  | { readonly status: number; readonly text: string }
  | { readonly status?: never; readonly unreachable: true }

/**
 * The policy that follows from an answer (RFC 9309, 2.3.1): the rules of a file that is there, everything where there
 * is none (4xx), nothing while the server fails or cannot be reached (5xx).
 */
export function robotsPolicyOf(answer: RobotsAnswer, userAgent: string): RobotsPolicy {
  if (answer.status === undefined || answer.status >= 500) return { isAllowed: isRobotsFile }
  if (answer.status >= 200 && answer.status < 300) return robotsPolicy(answer.text, userAgent)
  return { isAllowed: () => true }
}

/**
 * Reads a robots.txt (RFC 9309): groups by product token, the longest match wins, an allow before a disallow of the
 * same length, `*` and `$` as wildcards. `userAgent` is the product token, or a User-Agent that begins with it.
 */
export function robotsPolicy(text: string, userAgent: string): RobotsPolicy {
  // The library compares URLs with the host of the file; rules know no hosts, so all are put under one.
  const origin = 'http://host.invalid'
  const rules = parseRobots(`${origin}/robots.txt`, plainEncoding(text.slice(0, maxTextLength)))
  const delaySeconds = rules.getCrawlDelay(userAgent)
  return {
    isAllowed(url) {
      if (isRobotsFile(url)) return true
      const path = pathOf(url)
      return path === undefined || rules.isAllowed(origin + plainEncoding(path), userAgent) !== false
    },
    ...(delaySeconds === undefined || !(delaySeconds > 0) ? {} : { crawlDelayMs: delaySeconds * 1000 }),
  }
}

function pathOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { pathname, search } = new URL(url)
  return pathname + search
}

function isRobotsFile(url: string): boolean {
  return URL.canParse(url) && new URL(url).pathname === '/robots.txt'
}

/** Letters, digits and `-._~` are the same with and without percent-encoding (RFC 9309, 2.2.2). */
function plainEncoding(text: string): string {
  return text.replace(/^\ufeff/, '').replaceAll(/%([2-7][0-9a-f])/gi, (encoded, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[\w.~-]/.test(character) ? character : encoded
  })
}
