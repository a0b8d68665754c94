import { isMap, withoutEmptyEntries } from './maps.ts'
import type { Origin } from './origin.ts'
import type { OptionBlock, ResolvedConfig } from './resolved-config.ts'

/** True when the pattern means the host. Without a port it means all ports; `*.` means subdomains of any depth. */
export function matchesHost(pattern: string, host: string): boolean {
  const [name, port] = splitPort(host.toLowerCase())
  const [wanted, wantedPort] = splitPort(pattern.toLowerCase())
  if (wantedPort !== undefined && wantedPort !== port) return false
  if (wanted === '*' || wanted === name) return true
  return wanted.startsWith('*.') && name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1
}

function splitPort(host: string): readonly [string, string | undefined] {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(host)
  return match ? [match[1] ?? '', match[2]] : [host, undefined]
}

/** Exact names before globs, longer globs before shorter ones, with a port before without. */
function precision(block: OptionBlock): number {
  if (block.kind === 'source') return 0
  const [name, port] = splitPort(block.pattern)
  return 1 + (name.startsWith('*') ? name.length : 1000 + name.length) * 2 + (port === undefined ? 0 : 1)
}

/**
 * The options that hold for requests to a host, and for a source where one is named: source blocks are laid over
 * the values, then host blocks from the widest pattern to the exact name, then flags and arguments again. Gives
 * `config.values` itself when no block matches. `host` may carry a port.
 */
export function hostOptions<Values extends object>(
  config: ResolvedConfig<Values>,
  host: string,
  source?: string,
): Values {
  if (config.blocks.length === 0) return config.values
  return overlaid(config, matching(config.blocks, host, source))
}

/** The options that hold for a source, whatever the host. */
export function sourceOptions<Values extends object>(config: ResolvedConfig<Values>, source: string): Values {
  return overlaid(
    config,
    config.blocks.filter((block) => block.kind === 'source' && block.pattern === source),
  )
}

/** Where the values of `hostOptions` come from, by resolved name. */
export function hostOrigins(
  config: ResolvedConfig<object>,
  host: string,
  source?: string,
): Readonly<Record<string, Origin>> {
  const origins: Record<string, Origin> = { ...config.origins }
  for (const block of matching(config.blocks, host, source)) {
    for (const [name, origin] of Object.entries(block.origins)) {
      const above = block.aboveFixed || !Object.hasOwn(config.fixed, name)
      if (above && !block.unset.includes(name)) origins[name] = origin
    }
  }
  return origins
}

function matching(
  blocks: readonly OptionBlock[],
  host: string,
  source: string | undefined,
): readonly OptionBlock[] {
  return (
    blocks
      .filter((block) =>
        block.kind === 'host' ? matchesHost(block.pattern, host) : block.pattern === source,
      )
      // The sort is stable: of two equal patterns the block of the higher layer stays later.
      .toSorted((a, b) => Number(a.aboveFixed) - Number(b.aboveFixed) || precision(a) - precision(b))
  )
}

function overlaid<Values extends object>(
  config: ResolvedConfig<Values>,
  blocks: readonly OptionBlock[],
): Values {
  if (blocks.length === 0) return config.values
  const everywhere: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(config.values))
  const values: Record<string, unknown> = { ...everywhere }
  for (const block of blocks.filter(({ aboveFixed }) => !aboveFixed)) {
    for (const name of block.unset) values[name] = everywhere[name]
    overlay(values, block.values)
  }
  overlay(values, config.fixed)
  for (const block of blocks.filter(({ aboveFixed }) => aboveFixed)) overlay(values, block.values)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- blocks hold checked values of the same options
  return withoutEmptyEntries(values) as Values
}

function overlay(values: Record<string, unknown>, over: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(over)) {
    const below = values[name]
    values[name] = isMap(value) && isMap(below) ? { ...below, ...value } : value
  }
}
