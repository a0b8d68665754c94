import type { PageRecord } from './book-record.ts'

/** What is odd about the pages of a work taken together. */
export interface SetFindings {
  /** Short sentences with page numbers. */
  readonly notes: readonly string[]
  /** Some image is likely to be no page at all: it stands in for several. */
  readonly suspect: boolean
}

export interface CheckSetOptions {
  /** How many pages the source announced. */
  readonly announced?: number
  /** Whether all pages were wanted: else gaps mean nothing. */
  readonly whole: boolean
  /** Whether the image with this SHA-256 shows nothing: blank pages may be alike. */
  readonly isBlank: (sha256: string) => Promise<boolean>
}

/** So many pages with the same image are likely to be a picture that says "not found". */
const suspectCount = 3
/** A page with less than this part of the usual bytes and pixels is told of. */
const tinyBytes = 0.05
const tinyPixels = 0.25
/** Below this number of pages nothing is usual. */
const usualCount = 5

/**
 * Looks at all pages of a work together: as many as announced, no image twice, no number left out, no page far smaller
 * than the others, none in another size than its source says. Nothing is refused: a person has to look.
 */
export async function checkSet(pages: readonly PageRecord[], options: CheckSetOptions): Promise<SetFindings> {
  const notes: string[] = []
  const { announced, whole } = options
  if (whole && announced !== undefined && announced !== pages.length) {
    notes.push(`the source announced ${announced} pages and listed ${pages.length}`)
  }
  if (whole) notes.push(...gaps(pages))
  const { suspect, notes: same } = await sameImages(pages, options)
  notes.push(...same, ...tiny(pages), ...reduced(pages))
  return { notes, suspect }
}

async function sameImages(
  pages: readonly PageRecord[],
  { isBlank }: Pick<CheckSetOptions, 'isBlank'>,
): Promise<SetFindings> {
  const groups = new Map<string, number[]>()
  for (const [i, { sha256, url }] of pages.entries()) {
    // The same address twice is meant so.
    if (sha256 === undefined || pages[i - 1]?.url === url) continue
    const group = groups.get(sha256)
    if (group) group.push(i + 1)
    else groups.set(sha256, [i + 1])
  }
  const notes: string[] = []
  let suspect = false
  const alike = [...groups].filter(([, numbers]) => numbers.length > 1)
  for (const [sha256, numbers] of alike.slice(0, mostListed)) {
    if (await isBlank(sha256)) continue
    const isSuspect = numbers.length >= suspectCount
    suspect ||= isSuspect
    notes.push(
      isSuspect
        ? `pages ${listed(numbers)} are one image; if it is no page, give --refuse-image ${sha256}`
        : `pages ${listed(numbers)} are one image`,
    )
  }
  const more = alike.length - mostListed
  if (more > 0) notes.push(`${more} more images stand for several pages each`)
  return { notes, suspect }
}

/** Numbers that the addresses count up by one, but for some: page-056.jpg, page-058.jpg. */
function gaps(pages: readonly PageRecord[]): readonly string[] {
  const numbers = pages.map(({ url }) => lastNumber(url))
  if (pages.length < usualCount || numbers.some((number) => number === undefined)) return []
  const missing: number[] = []
  for (let i = 1; i < numbers.length; i++) {
    const [before, after] = [numbers[i - 1] ?? 0, numbers[i] ?? 0]
    if (after <= before || after - before > usualCount) return []
    for (let number = before + 1; number < after; number++) missing.push(number)
  }
  // Many gaps are no gaps: the numbers mean something else.
  if (missing.length === 0 || missing.length > Math.max(1, pages.length * 0.05)) return []
  return [
    `the addresses are numbered, and ${listed(missing)} ${missing.length === 1 ? 'is' : 'are'} left out`,
  ]
}

function lastNumber(url: string): number | undefined {
  const name = url.split(/[?#]/, 1)[0]?.split('/').at(-1) ?? ''
  const digits = /(\d{1,9})(?=\D*$)/.exec(name.replace(/\.\w{1,5}$/, ''))?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** So many of each kind are told of one by one. */
const mostListed = 10

function tiny(pages: readonly PageRecord[]): readonly string[] {
  const known = pages.filter((page) => page.sizeBytes !== undefined)
  if (known.length < usualCount) return []
  const usualBytes = median(known.map(({ sizeBytes = 0 }) => sizeBytes))
  const usualPixels = median(known.map(pixelsOf))
  const found = pages.flatMap((page, i) => {
    const { sizeBytes, widthPx = 0, heightPx = 0 } = page
    if (sizeBytes === undefined) return []
    if (sizeBytes >= usualBytes * tinyBytes || pixelsOf(page) >= usualPixels * tinyPixels) return []
    return [`page ${i + 1} is far smaller than the others: ${widthPx} x ${heightPx}, ${sizeBytes} bytes`]
  })
  return found.slice(0, mostListed)
}

function pixelsOf({ widthPx = 0, heightPx = 0 }: PageRecord): number {
  return widthPx * heightPx
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** Pages that a server gave in another size than it said. */
function reduced(pages: readonly PageRecord[]): readonly string[] {
  const found = pages.flatMap(({ suspicious = [] }, i) =>
    suspicious.filter((note) => note.includes('its source says')).map((note) => ({ number: i + 1, note })),
  )
  const [first] = found
  if (!first) return []
  const numbers = listed(found.map(({ number }) => number))
  const which = found.length === 1 ? `page ${numbers}` : `pages ${numbers}, of the first`
  return [`${which}: ${first.note}`]
}

function listed(numbers: readonly number[]): string {
  const more = numbers.length - mostListed
  return `${numbers.slice(0, mostListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
