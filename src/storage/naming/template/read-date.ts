const iso = /^\d{4}(?:-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/i
const http = /^[a-z]{3}, \d{1,2} [a-z]{3} \d{4}(?: \d\d:\d\d(?::\d\d)?(?: [a-z]{1,5}| [+-]\d{4})?)?$/i

/**
 * The moment that an ISO 8601 or HTTP date (RFC 9110, 5.6.7; RFC 5322) names; without an offset it is UTC. Undefined
 * for everything else: the engine's own parser would see a date in "part 2/3".
 */
export function readDate(text: string): Date | undefined {
  const trimmed = text.trim()
  const match = iso.exec(trimmed)
  if (match === null && !http.test(trimmed)) return undefined
  const isLocal = match !== null && trimmed.length > 10 && match[1] === undefined
  const date = new Date(match === null ? trimmed : `${trimmed.replace(' ', 'T')}${isLocal ? 'Z' : ''}`)
  return Number.isNaN(date.getTime()) ? undefined : date
}
