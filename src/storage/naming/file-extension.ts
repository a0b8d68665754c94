/** A file name cut before its extension. `extension` begins with the dot, or is empty; joined they are the name. */
export interface SplitName {
  readonly stem: string
  readonly extension: string
}

const longestExtension = 16
const extensionForm = /^[\p{L}\p{N}_+~-]+$/u

/** Last parts that wrap another file: `.tar.gz`, `.csv.zst`, `.iso.sha256`. */
const wrappers = new Set(
  'gz bz2 xz zst lz lz4 lzma lzo br z sz asc sig minisig sha1 sha256 sha512 md5 torrent meta4 metalink'.split(
    ' ',
  ),
)

/** Parts that stand before a wrapper. Others may be a piece of a title, as in `Mr.Smith.gz`. */
const wrapped = new Set(
  (
    'tar cpio zip 7z rar iso img bin exe deb rpm dmg apk jar csv tsv json jsonl ndjson xml sql txt log md html svg ' +
    'warc pdf ps epub cbz djvu fasta fa fastq fq vcf bam nii parquet arrow pbf dump'
  ).split(' '),
)

/** Two parts that belong together without a wrapper. */
const pairs = new Set('user.js user.css d.ts d.mts d.cts min.js min.mjs min.css js.map css.map'.split(' '))

/**
 * Cuts a name before its extension. Known double extensions (`.tar.gz`, `.user.js`, `.csv.zst`, `.zip.001`) count
 * as one. A leading dot begins no extension, and what has spaces or more than 16 characters is none.
 */
export function splitName(name: string): SplitName {
  const dot = name.lastIndexOf('.')
  if (dot <= 0 || !isExtension(name, dot)) return { stem: name, extension: '' }
  const at = doubleAt(name, dot, name.length) ?? dot
  return { stem: name.slice(0, at), extension: name.slice(at) }
}

/**
 * True when the name ends like a file of some type: `.pdf`, `.mp3`, `.7z`. Digits alone are not taken for a type,
 * since `2301.12345` and `v1.2` are names.
 */
export function hasTypeExtension(name: string): boolean {
  const dot = name.lastIndexOf('.')
  const length = name.length - dot - 1
  if (dot <= 0 || length < 1 || length > 10) return false
  let letters = 0
  for (let i = dot + 1; i < name.length; i++) {
    const code = name.charCodeAt(i) | 0x20
    if (code >= 0x61 && code <= 0x7a) letters++
    else if (code < 0x30 || code > 0x39) return false
  }
  return letters > 0
}

function isExtension(name: string, dot: number): boolean {
  const length = name.length - dot - 1
  return length > 0 && length <= longestExtension && extensionForm.test(name.slice(dot + 1))
}

function doubleAt(name: string, dot: number, end: number): number | undefined {
  const before = name.lastIndexOf('.', dot - 1)
  if (before <= 0) return undefined
  const last = name.slice(dot + 1, end).toLowerCase()
  const inner = name.slice(before + 1, dot).toLowerCase()
  if (pairs.has(`${inner}.${last}`)) return before
  const wraps = wrappers.has(last) || /^\d{3}$/.test(last)
  if (!wraps) return undefined
  if (wrapped.has(inner)) return before
  // A checksum of a compressed archive: `.tar.gz.sha256`.
  return wrappers.has(inner) ? doubleAt(name, before, dot) : undefined
}
