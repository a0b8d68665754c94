import type { Chapter } from '../core/index.ts'

/** What a chapter is called where names are shown: its title, else its number. */
export function chapterTitle(chapter: Chapter): string {
  if (chapter.title.trim() !== '') return chapter.title
  return chapter.number === undefined ? chapter.id : `Chapter ${chapter.number}`
}
