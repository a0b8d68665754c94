/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The single range of a Range header (RFC 9110, 14.1.2) against a length: undefined when it is malformed or asks
 * for several, so that the whole is served.
 */
export function parseRange(text: string, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(text.trim())
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const last = Math.min(Number(match[2]), sizeBytes)
    return last === 0 ? 'unsatisfiable' : { start: sizeBytes - last, end: sizeBytes }
  }
  const start = Number(match[1])
  if (start >= sizeBytes) return 'unsatisfiable'
  const end = match[2] === '' ? sizeBytes : Math.min(Number(match[2]) + 1, sizeBytes)
  return end <= start ? undefined : { start, end }
}
