/** Which part of which whole a response carries. */
export interface ContentRange {
  /** In lower case; `bytes` is the only one in use. */
  readonly unit: string
  /** First byte. */
  readonly start: number
  /** One after the last byte. */
  readonly end: number
  /** Length of the whole; undefined for `*`. */
  readonly totalBytes?: number
}

const satisfied = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/
const unsatisfied = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]+\*\/(\d{1,16})$/

/**
 * Content-Range of a 206 (RFC 9110, 14.4); undefined when it is missing, malformed, or contradicts itself (an end
 * before the start or beyond the total).
 */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const match = text === undefined ? null : satisfied.exec(text.trim())
  if (match === null) return undefined
  const start = Number(match[2])
  const end = Number(match[3]) + 1
  const total = match[4] === '*' ? undefined : Number(match[4])
  if (end <= start || !Number.isSafeInteger(end)) return undefined
  if (total !== undefined && (end > total || !Number.isSafeInteger(total))) return undefined
  const unit = (match[1] ?? '').toLowerCase()
  return total === undefined ? { unit, start, end } : { unit, start, end, totalBytes: total }
}

/** The length that a 416 names, as in `bytes` with a star and a length; undefined when it names none. */
export function parseUnsatisfiedRange(text: string | undefined): number | undefined {
  const match = text === undefined ? null : unsatisfied.exec(text.trim())
  const total = match === null ? Number.NaN : Number(match[2])
  return Number.isSafeInteger(total) ? total : undefined
}

/** A Range header for bytes from `start` up to, not including, `end`; to the end of the file without one. */
export function formatRange(start: number, end?: number): string {
  return `bytes=${start}-${end === undefined ? '' : end - 1}`
}

/** Accept-Ranges (RFC 9110, 14.3): false for `none`, true for `bytes`, undefined when the server does not say. */
export function parseAcceptRanges(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  const units = text.split(',').map((unit) => unit.trim().toLowerCase())
  if (units.includes('bytes')) return true
  return units.includes('none') ? false : undefined
}
