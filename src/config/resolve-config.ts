import { TrawlError } from '../core/index.ts'
import type { CommandName, InputOfGroups, OptionsOfGroups } from './commands.ts'
import type { ConfigDocument } from './config-document.ts'
import { readFileLayer, type BlockGiven, type FileGiven } from './file-layer.ts'
import { givenRaw, givenValue, invalid, type Given } from './given.ts'
import type { Group, Option } from './group.ts'
import { nearest } from './nearest.ts'
import { indexOf, type OptionIndex } from './option-index.ts'
import type { FileLayer, Origin } from './origin.ts'
import { isMap, withoutEmptyEntries } from './maps.ts'
import type { OptionBlock, ResolvedConfig } from './resolved-config.ts'

/** Flags as they were given, by resolved name: texts, or true and false of a switch. Nothing for those not given. */
export type GivenFlags = Readonly<Record<string, boolean | string | readonly string[]>>

/** What is laid over the defaults, low to high. Texts come from outside: nothing is read here. */
export interface ConfigLayers<G extends readonly Group[]> {
  /** User, project and option files; of two of a layer the later one wins. */
  readonly files?: readonly ConfigDocument[]
  /** Such as `process.env`. An empty variable counts as not given. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly flags?: GivenFlags
  /** Takes the place of `~` at the start of paths, in all layers but `args`. */
  readonly home?: string
  /** Values in resolved form, of library callers and requests. */
  readonly args?: InputOfGroups<G>
  /** Blocks in resolved form; they are above `args`. */
  readonly hosts?: Readonly<Record<string, InputOfGroups<G>>>
  readonly sources?: Readonly<Record<string, InputOfGroups<G>>>
}

/**
 * Lays defaults, files, environment, flags and arguments over each other. Throws ERR_CONFIG_INVALID and
 * ERR_CONFIG_UNKNOWN_KEY, in one line that names flag, variable or file and line.
 */
export function resolveConfig<const G extends readonly Group[]>(spec: {
  readonly groups: G
  readonly layers?: ConfigLayers<G>
  /** Whose block of the files counts too. */
  readonly command?: CommandName
}): ResolvedConfig<OptionsOfGroups<G>> {
  const { groups, layers = {}, command } = spec
  const index = indexOf(groups)
  const files = readFiles(index, layers, command)
  const [environment, flags] = [
    readEnvironment(index, layers.env ?? {}).map((given) => atHome(given, layers.home)),
    readFlags(index, layers.flags ?? {}).map((given) => atHome(given, layers.home)),
  ]
  const fixed = [...flags, ...readArgs(index, layers.args ?? {})]
  const stack = [
    ...files.filter(({ layer }) => layer !== 'option').flatMap(({ values }) => values),
    ...environment,
    ...files.filter(({ layer }) => layer === 'option').flatMap(({ values }) => values),
    ...fixed,
  ]
  const { values, origins } = layStack(index, stack)
  checkRules(groups, values, origins)
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value passed the schema of its option
    values: withoutEmptyEntries(values) as OptionsOfGroups<G>,
    origins,
    blocks: [
      ...files.flatMap(({ blocks }) => blocks.map((block) => blockOf(block, false))),
      ...argumentBlocks(index, layers.hosts, 'host'),
      ...argumentBlocks(index, layers.sources, 'source'),
    ],
    fixed: Object.fromEntries(collect(fixed)),
  }
}

/**
 * Checks options in resolved form and fills the defaults; for library callers and requests. `undefined` counts as
 * not given. Throws ERR_CONFIG_INVALID and ERR_CONFIG_UNKNOWN_KEY, which name the option.
 */
export function parseOptions<const G extends readonly Group[]>(
  groups: G,
  input: InputOfGroups<G>,
): OptionsOfGroups<G> {
  return resolveConfig({ groups, layers: { args: input } }).values
}

interface LayeredFile extends FileGiven {
  readonly layer: FileLayer
}

function readFiles(
  index: OptionIndex,
  layers: { readonly files?: readonly ConfigDocument[]; readonly home?: string },
  command: CommandName | undefined,
): readonly LayeredFile[] {
  const order: readonly FileLayer[] = ['user', 'project', 'option']
  return (layers.files ?? [])
    .toSorted((a, b) => order.indexOf(a.layer) - order.indexOf(b.layer))
    .map((document) => {
      const { values, blocks } = readFileLayer(document, index, command)
      return {
        layer: document.layer,
        values: values.map((given) => atHome(given, layers.home)),
        blocks: blocks.map((block) => ({
          ...block,
          values: block.values.map((given) => atHome(given, layers.home)),
        })),
      }
    })
}

function atHome(given: Given, home: string | undefined): Given {
  if (home === undefined || !given.option.field.kind.name.endsWith('path')) return given
  const expand = (value: unknown): unknown =>
    typeof value === 'string' && /^~($|[/\\])/.test(value) ? home + value.slice(1) : value
  const { value } = given
  return { ...given, value: Array.isArray(value) ? value.map((each) => expand(each)) : expand(value) }
}

function layStack(
  index: OptionIndex,
  stack: readonly Given[],
): { readonly values: Record<string, unknown>; readonly origins: Record<string, Origin> } {
  const values: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  for (const option of index.byName.values()) {
    origins[option.name] = { layer: 'default' }
    if (option.field.filled) values[option.name] = option.field.default
  }
  for (const given of stack) lay(values, origins, given)
  return { values, origins }
}

function readEnvironment(index: OptionIndex, env: Readonly<Record<string, string | undefined>>): Given[] {
  const out: Given[] = []
  for (const option of index.byName.values()) {
    const { variable } = option
    const text = variable === undefined ? undefined : env[variable]
    if (variable === undefined || text === undefined || text === '') continue
    out.push(givenRaw(option, { form: 'texts', texts: [text] }, { layer: 'environment', variable }))
  }
  return out
}

function readFlags(index: OptionIndex, flags: GivenFlags): Given[] {
  return Object.entries(flags).map(([name, given]) => {
    const option = index.byName.get(name)
    if (option?.flag === undefined) throw new TrawlError('ERR_INTERNAL', `no option has the flag of ${name}`)
    if (typeof given === 'boolean') {
      const flag = given ? option.flag : `--no-${option.flag.slice(2)}`
      return givenValue(option, given, { layer: 'flag', flag })
    }
    const texts = typeof given === 'string' ? [given] : given
    const origin: Origin = { layer: 'flag', flag: option.flag }
    // `--proxy ''` takes back what a file set; where there is a default an empty text is a slip of the shell.
    const { filled, kind } = option.field
    if (texts.every((text) => text === '') && !kind.merges && (!filled || kind.repeats)) {
      return { option, value: filled ? [] : undefined, origin }
    }
    return givenRaw(option, { form: 'texts', texts }, origin)
  })
}

function readArgs(index: OptionIndex, args: Readonly<Record<string, unknown>>): Given[] {
  const out: Given[] = []
  for (const [name, value] of Object.entries(args)) {
    const option = index.byName.get(name)
    if (option === undefined) {
      const meant = nearest(name, index.byName.keys())
      throw new TrawlError(
        'ERR_CONFIG_UNKNOWN_KEY',
        `unknown option ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        { context: { field: name } },
      )
    }
    if (value !== undefined) out.push(givenValue(option, value, { layer: 'argument', name }))
  }
  return out
}

function argumentBlocks(
  index: OptionIndex,
  blocks: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined,
  kind: 'host' | 'source',
): OptionBlock[] {
  return Object.entries(blocks ?? {}).map(([pattern, args]) => {
    const values = readArgs(index, args)
    for (const { option, origin } of values) {
      if (option.field.scope !== 'host' && option.field.scope !== kind) {
        throw invalid(
          option,
          origin,
          kind === 'host' ? 'cannot be set for one host' : 'cannot be set for one source',
        )
      }
    }
    return blockOf({ kind, pattern: kind === 'host' ? pattern.toLowerCase() : pattern, values }, true)
  })
}

function blockOf(block: BlockGiven, aboveFixed: boolean): OptionBlock {
  return {
    kind: block.kind,
    pattern: block.pattern,
    aboveFixed,
    values: Object.fromEntries(collect(block.values)),
    unset: block.values.filter(({ value }) => value === undefined).map(({ option }) => option.name),
    origins: Object.fromEntries(block.values.map(({ option, origin }) => [option.name, origin])),
  }
}

function collect(given: readonly Given[]): Map<string, unknown> {
  const out = new Map<string, unknown>()
  for (const { option, value } of given) if (value !== undefined) out.set(option.name, value)
  return out
}

function lay(values: Record<string, unknown>, origins: Record<string, Origin>, given: Given): void {
  const { option, value, origin } = given
  const { name, field } = option
  origins[name] = origin
  if (value === undefined) {
    if (field.filled) values[name] = field.default
    else delete values[name]
  } else if (field.kind.merges && isMap(value)) {
    const below = values[name]
    values[name] = isMap(below) ? { ...below, ...value } : value
    for (const key of Object.keys(value)) origins[`${name}.${key}`] = origin
  } else values[name] = value
}

function checkRules(
  groups: readonly Group[],
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, Origin>>,
): void {
  for (const group of groups) {
    const problem = group.check(values)
    if (problem === undefined) continue
    const option: Option | undefined = group.options.find(({ name }) => name === problem.name)
    if (option === undefined)
      throw new TrawlError('ERR_INTERNAL', `${group.name}: a rule names ${problem.name}`)
    const origin = origins[option.name] ?? { layer: 'default' }
    throw origin.layer === 'default'
      ? new TrawlError('ERR_CONFIG_INVALID', `${option.key}: ${problem.message}`, {
          context: { field: option.key },
        })
      : invalid(option, origin, problem.message)
  }
}
