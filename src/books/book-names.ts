import type { BookMetadata } from '../core/index.ts'
import { compileTemplate, type NameTemplate, type TemplateValues } from '../storage/index.ts'
import type { PlannedWork } from './planned-work.ts'

/** Fields of name templates for books, with what they are. */
export const bookFields: Readonly<Record<string, string>> = {
  title: 'title of the work, or of the chapter that it is cut into',
  series: 'series that the work belongs to',
  number: 'number of the chapter or issue',
  volume: 'volume',
  author: 'authors, joined by commas',
  artist: 'artists, joined by commas',
  publisher: 'publisher',
  language: 'language tag',
  date: 'date, as far as known',
  source: 'name of the source',
  identifier: 'identifier of the source',
  chapter: 'title of the chapter',
  chapter_number: 'number of the chapter',
  pages: 'number of pages',
  id: 'our identity of the work',
}

const defaults = {
  book: '{title|id:.120b}',
  chapter: '{series|title:.100b}{? - {chapter_number:03}?}{? - {chapter:.80b}?}',
  volume: '{series|title:.100b}{? - v{volume:02}?}',
}

/** The template of the options, else the usual one. Throws ERR_CONFIG_INVALID, ERR_PATH_UNSAFE. */
export function bookTemplate(options: {
  readonly name?: string | undefined
  readonly by: 'book' | 'chapter' | 'volume'
}): NameTemplate {
  return compileTemplate(options.name ?? defaults[options.by], {
    option: '--name',
    fields: Object.keys(bookFields),
    // Room for ` [incomplete].epub` and a number.
    limits: { reserveBytes: 32 },
  })
}

/** Values of all fields of a work. */
export function bookValues(
  work: Pick<PlannedWork, 'id' | 'source' | 'chapter'>,
  metadata: BookMetadata,
  pages: number,
): TemplateValues {
  const { chapter } = work
  return {
    title: metadata.title,
    series: metadata.series,
    number: metadata.number,
    volume: metadata.volume,
    author: metadata.authors?.join(', '),
    artist: metadata.artists?.join(', '),
    publisher: metadata.publisher,
    language: metadata.language,
    date: metadata.date,
    source: work.source.name,
    identifier: metadata.identifier,
    chapter: chapter?.title,
    chapter_number: chapter?.number,
    pages,
    id: work.id,
  }
}
