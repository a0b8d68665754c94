import { TrawlError } from '../core/index.ts'
import { commands, type CommandName } from './commands.ts'
import type { ConfigDocument, ConfigEntry, ConfigValue } from './config-document.ts'
import { givenInFile, invalid, type Given } from './given.ts'
import type { Option } from './group.ts'
import { nearest } from './nearest.ts'
import { allOptions, type OptionIndex } from './option-index.ts'
import type { Origin } from './origin.ts'

/** Values for one host pattern or one source, of one file or of an argument. */
export interface BlockGiven {
  readonly kind: 'host' | 'source'
  readonly pattern: string
  readonly values: readonly Given[]
}

/** All that one file gives. */
export interface FileGiven {
  /** Low to high: the top of the file, then the block of the command. */
  readonly values: readonly Given[]
  readonly blocks: readonly BlockGiven[]
}

interface Scan {
  readonly document: ConfigDocument
  readonly index: OptionIndex
}

/**
 * What one configuration file gives for the options of `index`. Keys of other commands are known but not read.
 * Throws ERR_CONFIG_UNKNOWN_KEY with the nearest known spelling, and ERR_CONFIG_INVALID.
 */
export function readFileLayer(
  document: ConfigDocument,
  index: OptionIndex,
  command: CommandName | undefined,
): FileGiven {
  const scan: Scan = { document, index }
  const values: Given[] = []
  const ofCommand: Given[] = []
  const blocks: BlockGiven[] = []
  for (const entry of document.entries) {
    if (entry.key === 'hosts' || entry.key === 'sources') {
      blocks.push(...readBlocks(scan, entry, entry.key === 'hosts' ? 'host' : 'source'))
    } else if (Object.hasOwn(commands, entry.key)) {
      const given = readOptions(scan, entriesOf(scan, entry), entry.key)
      if (entry.key === command) ofCommand.push(...given)
    } else {
      values.push(...readOptions(scan, [entry]))
    }
  }
  return { values: [...values, ...ofCommand], blocks }
}

function readBlocks(scan: Scan, block: ConfigEntry, kind: 'host' | 'source'): BlockGiven[] {
  return entriesOf(scan, block).map((entry) => {
    const name = `${block.key}.${entry.key}`
    const values = readOptions(scan, entriesOf(scan, entry, name), name, kind)
    return { kind, pattern: kind === 'host' ? entry.key.toLowerCase() : entry.key, values }
  })
}

function entriesOf(scan: Scan, entry: ConfigEntry, name = entry.key): readonly ConfigEntry[] {
  if (entry.value.type === 'map') return entry.value.entries
  if (entry.value.type === 'null') return []
  const { path } = scan.document
  throw new TrawlError(
    'ERR_CONFIG_INVALID',
    `${path}:${entry.line}:${entry.column}: ${name}: not a mapping of options`,
    { context: { file: path, line: entry.line, column: entry.column, field: name } },
  )
}

function readOptions(
  scan: Scan,
  entries: readonly ConfigEntry[],
  block?: string,
  scope?: 'host' | 'source',
): Given[] {
  const { document, index } = scan
  const out: Given[] = []
  for (const entry of entries) {
    const option = index.byKey.get(entry.key) ?? allOptions().byKey.get(entry.key)
    if (option === undefined) throw unknownKey(document, entry, block)
    const origin: Origin = {
      layer: document.layer,
      file: document.path,
      line: entry.line,
      column: entry.column,
      ...(block === undefined ? {} : { block }),
    }
    refuseMisplaced(option, origin, scope)
    if (!index.byKey.has(entry.key)) continue
    out.push(givenInFile(option, absolute(option, entry.value, document), origin))
  }
  return out
}

function refuseMisplaced(option: Option, origin: Origin, scope: 'host' | 'source' | undefined): void {
  const { field } = option
  if (field.file === false) {
    throw invalid(
      option,
      origin,
      `cannot be set in a file: use ${option.flag ?? option.variable ?? 'an argument'}`,
    )
  }
  if (field.file === 'not-project' && origin.layer === 'project') {
    throw invalid(
      option,
      origin,
      'cannot be set in a project file, which anyone may have put there: use the user file or a flag',
    )
  }
  if (scope === undefined || field.scope === 'host' || field.scope === scope) return
  throw invalid(
    option,
    origin,
    scope === 'host' ? 'cannot be set for one host' : 'cannot be set for one source',
  )
}

/** Relative paths in project and option files start at the folder of the file. */
function absolute(option: Option, value: ConfigValue, document: ConfigDocument): ConfigValue {
  if (document.layer === 'user' || !option.field.kind.name.endsWith('path')) return value
  if (value.type === 'list')
    return { type: 'list', items: value.items.map((item) => fromFile(item, document.path)) }
  return fromFile(value, document.path)
}

function fromFile(value: ConfigValue, path: string): ConfigValue {
  if (value.type !== 'text' || value.text === '' || value.text === '-') return value
  if (/^([/\\~]|[a-z]:[/\\]|[a-z][a-z0-9+.-]+:\/\/)/i.test(value.text)) return value
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  if (end === -1) return value
  const folder = path.slice(0, end)
  const rest = value.text.replace(/^(\.[/\\])+/, '')
  return { type: 'text', text: rest === '.' ? folder || '/' : `${folder}/${rest}` }
}

function unknownKey(document: ConfigDocument, entry: ConfigEntry, block: string | undefined): TrawlError {
  const blockNames = block === undefined ? ['hosts', 'sources', ...Object.keys(commands)] : []
  const words = [...blockNames, ...allOptions().byKey.keys()]
  const byName = allOptions().byName.get(entry.key)?.key
  const meant = byName ?? nearest(entry.key, words)
  const where = block === undefined ? '' : ` in ${block}`
  const { path } = document
  return new TrawlError(
    'ERR_CONFIG_UNKNOWN_KEY',
    `${path}:${entry.line}:${entry.column}: unknown key ${JSON.stringify(entry.key)}${where}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    { context: { file: path, line: entry.line, column: entry.column, field: entry.key } },
  )
}
