/** A date of a book as far as it is known. */
export interface BookDate {
  readonly year: number
  readonly month?: number
  readonly day?: number
}

/** Reads `1899`, `1899-05`, `1899-05-07` or a longer ISO 8601 time; undefined for anything else. */
export function parseBookDate(text: string | undefined): BookDate | undefined {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:$|T)/.exec(text ?? '')
  if (!match) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (match[2] === undefined || month < 1 || month > 12) return { year }
  if (match[3] === undefined || day < 1 || day > 31) return { year, month }
  return { year, month, day }
}
