const printableAscii = /^[ -~]*$/
const wide =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|(?![\uff61-\uff9f])\p{Script=Katakana}|[\u1100-\u115f\ua960-\ua97c\uac00-\ud7a3]|\p{Script=Bopomofo}|\p{Script=Yi}|\p{Script=Tangut}|\p{Script=Nushu}|[\u2e80-\u303e\u3200-\u33ff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Regional_Indicator}{2}|.\ufe0f)/su
const invisible = /^[\p{M}\p{Default_Ignorable_Code_Point}]/u
const ellipsis = '...'

let graphemes: Intl.Segmenter | undefined

/**
 * Columns that a printable text takes on a terminal, by Unicode East Asian Width (UAX 11) and emoji presentation.
 * Where terminals differ the larger number is given, so that nothing wraps.
 */
export function displayWidth(text: string): number {
  if (printableAscii.test(text)) return text.length
  let columns = 0
  for (const { segment } of segments(text)) columns += graphemeWidth(segment)
  return columns
}

/** The text in at most `columns`; what is too long ends in `...`. */
export function cutEnd(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  return columns < ellipsis.length ? take(text, columns) : take(text, columns - ellipsis.length) + ellipsis
}

/** The text in at most `columns`; what is too long loses its middle, since names differ at both ends. */
export function cutMiddle(text: string, columns: number): string {
  const total = displayWidth(text)
  if (total <= columns) return text
  const room = columns - ellipsis.length
  if (room < 4) return cutEnd(text, columns)
  const head = take(text, Math.ceil(room / 2))
  return head + ellipsis + takeLast(text, total, room - displayWidth(head))
}

/** The text, cut in its middle or filled with spaces to exactly `columns`. */
export function padTo(text: string, columns: number): string {
  const cut = cutMiddle(text, columns)
  return cut + ' '.repeat(Math.max(0, columns - displayWidth(cut)))
}

function take(text: string, columns: number): string {
  let used = 0
  let out = ''
  for (const { segment } of segments(text)) {
    used += graphemeWidth(segment)
    if (used > columns) break
    out += segment
  }
  return out
}

function takeLast(text: string, total: number, columns: number): string {
  let left = total
  let at = 0
  for (const { segment } of segments(text)) {
    if (left <= columns) break
    left -= graphemeWidth(segment)
    at += segment.length
  }
  return text.slice(at)
}

function segments(text: string): Iterable<{ readonly segment: string }> {
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
  return graphemes.segment(text)
}

function graphemeWidth(grapheme: string): number {
  if (wide.test(grapheme)) return 2
  return invisible.test(grapheme) ? 0 : 1
}
