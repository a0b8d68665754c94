const words =
  'chapters?|chap|ch|episodes?|ep|parts?|volumes?|vol|issues?|books?|kapitel|chapitre|cap[ií]tulo|band|tome|teil'
const worded = new RegExp(`\\b(?:${words})\\.?[\\s_-]*#?\\s*0*(\\d+(?:\\.\\d+)?)\\b`, 'i')

/** The number that a chapter's title bears: `Chapter 10.5 - The sea`, `ch_003`, `12`; undefined when it has none. */
export function chapterNumber(title: string): string | undefined {
  const text = title.trim()
  return /^#?\s*0*(\d+(?:\.\d+)?)$/.exec(text)?.[1] ?? worded.exec(text.replaceAll('_', ' '))?.[1]
}
