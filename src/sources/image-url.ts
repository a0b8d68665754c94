/** Ends of names that mean images that a book can hold. */
const imageEnds = /\.(?:jpe?g|jpe|jfif|png|webp|gif|avif|heic|heif|tiff?|jp2|jxl|bmp)$/i

/** True when the path of a URL or file ends as image names do. */
export function looksLikeImage(pathOrUrl: string): boolean {
  return imageEnds.test(pathOrUrl.replace(/[?#].*$/s, ''))
}

/** The last part of a path or URL, decoded; undefined when there is none. */
export function lastSegment(pathOrUrl: string): string | undefined {
  const path = pathOrUrl.replace(/[?#].*$/s, '').replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
  const segment = path.split(/[/\\]/).findLast((part) => part !== '')
  return segment === undefined ? undefined : decoded(segment)
}

/** A title for pages at an address: the folder they are in, else the host. */
export function folderTitle(url: string): string {
  const folder = url.replace(/[?#].*$/s, '').replace(/[^/]*$/, '')
  if (!URL.canParse(url)) return lastSegment(folder) ?? url
  return lastSegment(folder) ?? new URL(url).hostname
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
