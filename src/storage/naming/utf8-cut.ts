let graphemes: Intl.Segmenter | undefined

/** The graphemes of a text: what a reader takes for one character. */
export function graphemesOf(text: string): Iterable<{ readonly segment: string }> {
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
  return graphemes.segment(text)
}

/**
 * The longest beginning of `text` that takes at most `maxBytes` in UTF-8 and ends between two graphemes. A single
 * grapheme that is longer than the limit is cut between code points.
 */
export function cutToBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text
  // Every UTF-16 unit takes at least one byte, so what lies further on cannot belong to the result.
  const head = text.slice(0, maxBytes + 64)
  const byGrapheme = take(graphemesOf(head), maxBytes)
  return byGrapheme === '' ? take(codePoints(head), maxBytes) : byGrapheme
}

function take(parts: Iterable<{ readonly segment: string }>, maxBytes: number): string {
  let bytes = 0
  let out = ''
  for (const { segment } of parts) {
    bytes += Buffer.byteLength(segment)
    if (bytes > maxBytes) break
    out += segment
  }
  return out
}

function* codePoints(text: string): Iterable<{ readonly segment: string }> {
  for (const segment of text) yield { segment }
}
