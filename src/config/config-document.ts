import type * as Yaml from 'yaml'
import { TrawlError } from '../core/index.ts'
import type { FileLayer } from './origin.ts'

/** A configuration file as it was read: what layer it belongs to, its path, its text. */
export interface ConfigFile {
  readonly layer: FileLayer
  /** As messages should show it. Relative paths in the file start at its folder. */
  readonly path: string
  readonly text: string
}

/** A parsed configuration file. Scalars stay text, with their place, until an option reads them. */
export interface ConfigDocument {
  readonly layer: FileLayer
  readonly path: string
  readonly entries: readonly ConfigEntry[]
}

/** One key of a mapping and its place. */
export interface ConfigEntry {
  readonly key: string
  readonly line: number
  readonly column: number
  readonly value: ConfigValue
}

/** What stands behind a key; scalars are text as written. */
export type ConfigValue =
  | { readonly type: 'null' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'list'; readonly items: readonly ConfigValue[] }
  | { readonly type: 'map'; readonly entries: readonly ConfigEntry[] }

/** Deeper nesting than any option needs; also stops aliases that contain themselves. */
const maxDepth = 8
const maxNodes = 50_000

interface ReadState {
  readonly yaml: typeof Yaml
  readonly file: ConfigFile
  readonly document: Yaml.Document.Parsed
  readonly lines: Yaml.LineCounter
  nodes: number
}

/**
 * Parses a configuration file (YAML 1.2). Throws ERR_CONFIG_UNREADABLE with file, line and column when the text
 * is not YAML, names a key twice, or is not a mapping. What the keys mean is not looked at here.
 */
export async function parseConfigFile(file: ConfigFile): Promise<ConfigDocument> {
  // Most runs have no configuration file; they need not pay for the parser.
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(file.text, { lineCounter: lines, prettyErrors: false })
  const state: ReadState = { yaml, file, document, lines, nodes: 0 }
  const error = document.errors[0]
  if (error !== undefined) throw unreadable(state, error.pos[0], error.message)
  const root = document.contents
  if (root === null || (yaml.isScalar(root) && root.value === null)) {
    return { layer: file.layer, path: file.path, entries: [] }
  }
  const value = readNode(state, root, 0)
  if (value.type !== 'map') throw unreadable(state, root.range[0], 'the file is not a mapping of options')
  return { layer: file.layer, path: file.path, entries: value.entries }
}

function readNode(state: ReadState, node: unknown, depth: number): ConfigValue {
  const { yaml, document } = state
  if (node === null || node === undefined) return { type: 'null' }
  if (!yaml.isNode(node)) throw unreadable(state, 0, 'not a value of an option')
  const offset = node.range?.[0] ?? 0
  if (depth > maxDepth || ++state.nodes > maxNodes)
    throw unreadable(state, offset, 'nested too deeply, or too long')
  if (yaml.isAlias(node)) return readNode(state, node.resolve(document), depth + 1)
  if (yaml.isScalar(node)) {
    const text = scalarText(node)
    return text === undefined ? { type: 'null' } : { type: 'text', text }
  }
  if (yaml.isSeq(node))
    return { type: 'list', items: node.items.map((item) => readNode(state, item, depth + 1)) }
  if (!yaml.isMap(node)) throw unreadable(state, offset, 'not a value of an option')
  return { type: 'map', entries: node.items.map((pair) => readPair(state, pair, depth)) }
}

/** The source keeps what a number would lose: `1.10` as the number of a chapter. */
function scalarText({ value, source }: Yaml.Scalar): string | undefined {
  if (value === null) return undefined
  return typeof value === 'string' ? value : (source ?? JSON.stringify(value))
}

function readPair(state: ReadState, pair: Yaml.Pair, depth: number): ConfigEntry {
  const { yaml, lines } = state
  const key = pair.key
  const offset = (yaml.isNode(key) ? key.range?.[0] : undefined) ?? 0
  const name = yaml.isScalar(key) ? scalarText(key) : undefined
  if (name === undefined) throw unreadable(state, offset, 'a key must be a plain text')
  const { line, col } = lines.linePos(offset)
  return { key: name, line, column: col, value: readNode(state, pair.value, depth + 1) }
}

function unreadable(state: ReadState, offset: number, reason: string): TrawlError {
  const { line, col } = state.lines.linePos(offset)
  const text = reason.replaceAll(/\s+/g, ' ').trim()
  return new TrawlError('ERR_CONFIG_UNREADABLE', `${state.file.path}:${line}:${col}: ${text}`, {
    context: { file: state.file.path, line, column: col },
  })
}
