const run = /(?:%[0-9a-f]{2})+/gi

/**
 * Percent-decodes a segment of a URL as UTF-8 (RFC 3986, 2.1). Sequences that are not valid stay as they are, so
 * `100%` and `%E9t%E9` lose nothing.
 */
export function decodeSegment(text: string): string {
  return text.includes('%') ? text.replace(run, decodeRun) : text
}

function decodeRun(escapes: string): string {
  const whole = tryDecode(escapes)
  if (whole !== undefined) return whole
  let out = ''
  for (let at = 0; at < escapes.length;) {
    const sequence = escapes.slice(at, at + 3 * sequenceLength(escapes, at))
    const decoded = tryDecode(sequence)
    out += decoded ?? escapes.slice(at, at + 3)
    at += decoded === undefined ? 3 : sequence.length
  }
  return out
}

/** Bytes of the UTF-8 sequence that the first byte announces. */
function sequenceLength(escapes: string, at: number): number {
  const lead = Number.parseInt(escapes.slice(at + 1, at + 3), 16)
  if (lead < 0xc0) return 1
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

function tryDecode(escapes: string): string | undefined {
  try {
    return decodeURIComponent(escapes)
  } catch {
    return undefined
  }
}
