import { looksLikeImage } from '../image-url.ts'
import { compareNaturally } from '../natural-order.ts'
import type { PageFacts } from './candidate.ts'

/** A listing that a web server made of a folder. */
export interface FolderListing {
  readonly title: string
  /** Images, by name in natural order. */
  readonly images: readonly ListedName[]
  /** Folders below, by name in natural order. */
  readonly folders: readonly ListedName[]
  /** Files that are neither. */
  readonly others: number
}

export interface ListedName {
  readonly name: string
  readonly url: string
}

/**
 * Reads a folder listing (nginx, Apache, lighttpd, Caddy, Python's http.server); undefined when the page is something
 * else. Only entries of the folder itself count: the parent, sort links and foreign links do not.
 */
export function readListing(page: PageFacts): FolderListing | undefined {
  if (!/^\s*(?:Index of|Directory listing for|Listing of|Files in)\s/i.test(page.title ?? ''))
    return undefined
  const folder = new URL('.', page.url)
  const images = new Map<string, ListedName>()
  const folders = new Map<string, ListedName>()
  let others = 0
  for (const anchor of page.anchors) {
    const entry = entryOf(anchor.url, folder)
    if (entry === undefined) continue
    const listed = { name: entry.name, url: anchor.url }
    if (entry.isFolder) folders.set(anchor.url, listed)
    else if (looksLikeImage(anchor.url)) images.set(anchor.url, listed)
    else others++
  }
  return {
    title: lastFolder(folder),
    images: sorted(images),
    folders: sorted(folders),
    others,
  }
}

function entryOf(
  text: string,
  folder: URL,
): { readonly name: string; readonly isFolder: boolean } | undefined {
  const url = new URL(text)
  if (url.origin !== folder.origin || url.search !== '' || !url.pathname.startsWith(folder.pathname))
    return undefined
  const rest = url.pathname.slice(folder.pathname.length)
  const isFolder = rest.endsWith('/')
  const name = isFolder ? rest.slice(0, -1) : rest
  if (name === '' || name.includes('/')) return undefined
  return { name: decoded(name), isFolder }
}

function sorted(entries: ReadonlyMap<string, ListedName>): readonly ListedName[] {
  return [...entries.values()].sort((a, b) => compareNaturally(a.name, b.name))
}

function lastFolder(folder: URL): string {
  const name = folder.pathname.split('/').findLast((part) => part !== '')
  return name === undefined ? folder.host : decoded(name)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
