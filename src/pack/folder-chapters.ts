import type { Chapter } from '../core/index.ts'

/**
 * Chapters by the folders that pages lie in, by index of the page each begins at. `names` are paths with `/` in
 * order; folders that all pages share are no chapters.
 */
export function folderChapters(names: readonly string[]): Map<number, readonly Chapter[]> {
  const folders = names.map((name) => name.split('/').slice(0, -1))
  const shared = sharedDepth(folders)
  const chapters = new Map<number, readonly Chapter[]>()
  let before: readonly string[] = []
  for (const [index, folder] of folders.entries()) {
    const own = folder.slice(shared)
    const same = own.findIndex((part, depth) => part !== before[depth])
    if (same >= 0) {
      const begun = own.slice(same).map((title, i): Chapter => ({
        id: own.slice(0, same + i + 1).join('/'),
        title,
        depth: same + i,
      }))
      chapters.set(index, begun)
    }
    before = own
  }
  return chapters
}

function sharedDepth(folders: readonly (readonly string[])[]): number {
  const [first = []] = folders
  const depths = folders.map((folder) => {
    const differs = first.findIndex((part, depth) => part !== folder[depth])
    return differs < 0 ? first.length : differs
  })
  return depths.reduce((least, depth) => Math.min(least, depth), first.length)
}
