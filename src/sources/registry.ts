import { TrawlError } from '../core/index.ts'
import type { Source, SourceInput, SourceMatch } from './source.ts'

/** A source and how well it fits. */
export interface PickedSource {
  readonly source: Source
  readonly match: SourceMatch
}

/** The sources of a session, by name. */
export interface SourceRegistry {
  /** In order of name. */
  list(): readonly Source[]
  /** Throws ERR_SOURCE_NO_MATCH. */
  get(name: string): Source
  /** The source that the input names, else the one that matches best; ties go to the first by name. */
  pick(input: SourceInput): PickedSource
}

/**
 * A registry of sources. Sources that are added later need no change here. Throws ERR_CONFIG_INVALID when two bear
 * the same name; `pick` and `get` throw ERR_SOURCE_NO_MATCH.
 */
export function createSourceRegistry(sources: readonly Source[]): SourceRegistry {
  const byName = new Map<string, Source>()
  for (const source of [...sources].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
    if (byName.has(source.name)) {
      throw new TrawlError('ERR_CONFIG_INVALID', `Two sources bear the name "${source.name}"`)
    }
    byName.set(source.name, source)
  }
  const list = [...byName.values()]
  const get = (name: string): Source => {
    const source = byName.get(name)
    if (source !== undefined) return source
    const names = list.map((one) => one.name).join(', ')
    throw new TrawlError('ERR_SOURCE_NO_MATCH', `There is no source "${name}"; there are: ${names}`)
  }
  return {
    list: () => list,
    get,
    pick(input) {
      if (input.source !== undefined) {
        const source = get(input.source)
        return { source, match: source.match(input) ?? { confidence: 0, kind: 'unknown' } }
      }
      let best: PickedSource | undefined
      for (const source of list) {
        const match = source.match(input)
        if (match !== undefined && match.confidence > (best?.match.confidence ?? 0)) best = { source, match }
      }
      if (best === undefined) throw noMatch(input, list)
      return best
    },
  }
}

function noMatch(input: SourceInput, list: readonly Source[]): TrawlError {
  const shown = input.text.length > 200 ? `${input.text.slice(0, 200)}...` : input.text
  const possible = list.map((source) => `${source.name}: ${source.examples[0] ?? source.description}`)
  return new TrawlError('ERR_SOURCE_NO_MATCH', `No source knows what to do with "${shown}"`, {
    context: { input: shown, possible },
    hint: `Inputs may be, for example: ${possible.join('; ')}. Or name one with --source.`,
  })
}
