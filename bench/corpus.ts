import { createHash } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { UrlList } from './contender.ts'

/** Files that an origin serves and that a download must equal. Nothing is stored: all of it follows from the index. */
export interface Corpus {
  readonly count: number
  readonly totalBytes: number
  nameOf(index: number): string
  sizeOf(index: number): number
  /** The bytes a right download of this file has. */
  bytesOf(index: number): Buffer
}

/** What to make. */
export interface CorpusOptions {
  readonly count: number
  /** Sizes go from half of this to one and a half of it. */
  readonly meanBytes: number
}

const blockBytes = 1024 * 1024
const checkedFiles = 200
const pieceBytes = 8 * 1024 * 1024

/** Defines files of different content and size, the same ones every time and in every process. */
export function defineCorpus(options: CorpusOptions): Corpus {
  const { count, meanBytes } = options
  const block = noise(blockBytes + meanBytes * 2)
  const sizeOf = (index: number): number => Math.floor(meanBytes / 2) + (mixed(index) % (meanBytes + 1))
  let totalBytes = 0
  for (let index = 0; index < count; index++) totalBytes += sizeOf(index)
  return {
    count,
    totalBytes,
    sizeOf,
    nameOf: (index) => `${String(index).padStart(7, '0')}.bin`,
    bytesOf(index) {
      const from = mixed(index + 1) % blockBytes
      const bytes = Buffer.from(block.subarray(from, from + sizeOf(index)))
      if (bytes.length >= 4) bytes.writeUInt32BE(index)
      return bytes
    },
  }
}

/** Writes all files of a corpus into a new folder, and returns its path. */
export function writeCorpus(corpus: Corpus, folder: string): string {
  mkdirSync(folder, { recursive: true })
  for (let index = 0; index < corpus.count; index++) {
    writeWhole(join(folder, corpus.nameOf(index)), [corpus.bytesOf(index)])
  }
  return folder
}

/** Makes one large file and returns its path. Its bytes differ everywhere, so that a misplaced piece shows. */
export function makeLargeFile(path: string, sizeBytes: number): string {
  const block = noise(blockBytes)
  writeWhole(path, largePieces(block, sizeBytes))
  return path
}

/** Writes a list in the forms that trawl, aria2c, wget2 and curl read. */
export function writeUrlList(folder: string, urls: Iterable<string>): UrlList {
  const path = join(folder, 'urls.txt')
  const curlPath = join(folder, 'urls.curl')
  let count = 0
  const plain = openSync(path, 'w')
  const curl = openSync(curlPath, 'w')
  let lines: string[] = []
  const flush = (): void => {
    writeSync(plain, lines.map((url) => `${url}\n`).join(''))
    writeSync(curl, lines.map((url) => `url = "${url}"\n`).join(''))
    lines = []
  }
  writeSync(curl, 'remote-name-all\n')
  for (const url of urls) {
    count++
    if (lines.push(url) === 10_000) flush()
  }
  flush()
  closeSync(plain)
  closeSync(curl)
  return { count, path, curlPath }
}

/** The list of a corpus that stands at `url`, without a slash at the end. */
export function listCorpus(folder: string, corpus: Corpus, url: string): UrlList {
  return writeUrlList(folder, urlsOf(corpus, url))
}

/**
 * Compares a download with the corpus: names and sizes of all files, bytes of at least `compared` of them (or of all).
 * Returns what is wrong, or undefined. Names that begin with a dot are a program's own.
 */
export function checkCorpus(corpus: Corpus, folder: string, compared = checkedFiles): string | undefined {
  const found = readdirSync(folder).filter((name) => !name.startsWith('.')).length
  if (found !== corpus.count) return `${found} files instead of ${corpus.count}`
  const step = Math.max(1, Math.floor(corpus.count / compared))
  for (let index = 0; index < corpus.count; index++) {
    const name = corpus.nameOf(index)
    const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size
    if (size !== corpus.sizeOf(index)) return `${name} has ${size} bytes instead of ${corpus.sizeOf(index)}`
    if (index % step === 0 && !readFileSync(join(folder, name)).equals(corpus.bytesOf(index))) {
      return `${name} has other bytes than the origin`
    }
  }
  return undefined
}

/** Digest (SHA-256, hexadecimal) of a file of any size. */
export function digestOf(path: string): string {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(pieceBytes)
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

/** A check of one downloaded file against a digest; returns what is wrong, or undefined. */
export function checkFile(path: string, digest: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return `${path} is missing`
  const found = digestOf(path)
  return found === digest ? undefined : `${path} has SHA-256 ${found} instead of ${digest}`
}

function* urlsOf(corpus: Corpus, url: string): Generator<string> {
  for (let index = 0; index < corpus.count; index++) yield `${url}/${corpus.nameOf(index)}`
}

function* largePieces(block: Buffer, sizeBytes: number): Generator<Buffer> {
  for (let at = 0; at < sizeBytes; at += blockBytes) {
    for (let stamp = 0; stamp < blockBytes; stamp += 4096) block.writeUInt32BE((at + stamp) / 4096, stamp)
    yield block.subarray(0, Math.min(blockBytes, sizeBytes - at))
  }
}

function writeWhole(path: string, pieces: Iterable<Buffer>): void {
  const file = openSync(path, 'w')
  for (const piece of pieces) writeSync(file, piece)
  closeSync(file)
}

/** Bytes without structure: xorshift32 (G. Marsaglia, 2003). */
function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.ceil(sizeBytes / 4) * 4)
  let state = 0x9e3779b9 | 0
  for (let at = 0; at < bytes.length; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes.writeInt32LE(state, at)
  }
  return bytes
}

/** A number that looks random but depends on the index only (finalizer of MurmurHash3). */
function mixed(index: number): number {
  let value = Math.imul(index ^ (index >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
