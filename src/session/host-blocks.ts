import { hostOptions, type ResolvedConfig } from '../config/index.ts'

const maxHosts = 4096

/**
 * The options that hold for a host, remembered; undefined where the configuration has no block for a host, so that
 * nothing is asked for each file.
 */
export function optionsByHost<Values extends object>(
  config: ResolvedConfig<Values>,
): ((host: string) => Values) | undefined {
  if (!config.blocks.some(({ kind }) => kind === 'host')) return undefined
  const known = new Map<string, Values>()
  return (host) => {
    let found = known.get(host)
    if (!found) {
      found = hostOptions(config, host)
      if (known.size >= maxHosts) known.clear()
      known.set(host, found)
    }
    return found
  }
}

/** What a host has other than all; undefined where nothing of these options differs. */
export function ownOfHost<Values extends object, const K extends keyof Values>(
  own: Values,
  everywhere: Values,
  names: readonly K[],
): { readonly [N in K]?: Values[N] } | undefined {
  const differing = names.filter((name) => own[name] !== everywhere[name])
  if (differing.length === 0) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the entries are those of the names
  return Object.fromEntries(differing.map((name) => [name, own[name]])) as { readonly [N in K]?: Values[N] }
}

/**
 * The patterns of all blocks for hosts, the most precise first, with a host that stands for each: names before globs,
 * longer ones before shorter ones, with a port before without. A port that stands in some pattern is tried with every
 * name, since blocks of both hold for it.
 */
export function hostPatterns(
  config: ResolvedConfig<object>,
): readonly { readonly pattern: string; readonly example: string }[] {
  const split = config.blocks
    .filter(({ kind }) => kind === 'host')
    .map(({ pattern }) => /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(pattern))
  const names = new Set(split.map((match) => match?.[1] ?? '').filter((name) => name !== ''))
  const ports = new Set(split.map((match) => match?.[2]))
  const patterns = [...names].flatMap((name) => [
    ...[...ports].filter((port) => port !== undefined).map((port) => `${name}:${port}`),
    name,
  ])
  const rank = (pattern: string): number => (pattern.startsWith('*') ? 0 : 10_000) + nameOf(pattern).length
  return patterns
    .toSorted((a, b) => rank(b) - rank(a) || Number(b.includes(':')) - Number(a.includes(':')))
    .map((pattern) => ({ pattern, example: pattern.replace(/^\*(?=\.)/, 'any').replace(/^\*/, 'any') }))
}

function nameOf(pattern: string): string {
  return pattern.replace(/:\d+$/, '')
}
