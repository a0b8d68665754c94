const chapters = 'chapters?|chap|ch|episodes?|ep|parts?|issues?|kapitel|chapitre|cap[ií]tulo|teil'
const volumes = 'volumes?|vol|books?|band|tome'
const behindWord = (words: string): RegExp =>
  new RegExp(`\\b(?:${words})\\.?[\\s_-]*#?\\s*0*(\\d+(?:\\.\\d+)?)\\b`, 'i')
// `Vol. 2 Ch. 13` is chapter 13; `Volume 2` alone is number 2.
const worded = [behindWord(chapters), behindWord(volumes)]

/** The number that a chapter's title bears: `Chapter 10.5 - The sea`, `ch_003`, `12`; undefined when it has none. */
export function chapterNumber(title: string): string | undefined {
  const text = title.trim()
  const bare = /^#?\s*0*(\d+(?:\.\d+)?)$/.exec(text)?.[1]
  if (bare !== undefined) return bare
  const spaced = text.replaceAll('_', ' ')
  for (const pattern of worded) {
    const number = pattern.exec(spaced)?.[1]
    if (number !== undefined) return number
  }
  return undefined
}
