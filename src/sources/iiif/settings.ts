import { TrawlError } from '../../core/index.ts'
import type { SourceInput } from '../source.ts'

/** The options of the IIIF source. */
export interface IiifSettings {
  /** Preferred languages, best first. */
  readonly languages: readonly string[]
  /** Which page order: the manifest's, or one of its others by number from 1 or by a part of its label. */
  readonly sequence?: string
  /** Which image of a choice: by number from 1 or by a part of its label; default is the manifest's. */
  readonly choice?: string
  /** Fetch images in tiles: never, where the server limits whole images, or always. */
  readonly stitch: 'never' | 'limited' | 'always'
  /** Canvases of several images: all of them as layers, or the first alone. */
  readonly composition: 'layers' | 'first'
  /** Ask image servers what they have; without it the manifest alone decides. */
  readonly info: boolean
  readonly format?: string
  /** Take a substitute of lower grade where the full image is locked. */
  readonly substitute: boolean
  /** From the collection that the manifest is a volume of. */
  readonly series?: string
  readonly number?: string
}

/** Reads the options of an input. Throws ERR_CONFIG_INVALID naming the option. */
export function iiifSettings(input: SourceInput): IiifSettings {
  const options = input.options ?? {}
  const given = (name: string): string | undefined => (options[name] === '' ? undefined : options[name])
  const optional = (name: 'sequence' | 'choice' | 'format' | 'series' | 'number'): Partial<IiifSettings> => {
    const value = given(name)
    return value === undefined ? {} : { [name]: value }
  }
  return {
    languages: (given('languages') ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
    stitch: oneOf('stitch', given('stitch') ?? 'never', {
      never: 'never',
      no: 'never',
      false: 'never',
      limited: 'limited',
      yes: 'limited',
      true: 'limited',
      always: 'always',
    }),
    composition: oneOf('composition', given('composition') ?? 'layers', { layers: 'layers', first: 'first' }),
    info: oneOf('info', given('info') ?? 'yes', yesOrNo),
    substitute: oneOf('substitute', given('substitute') ?? 'no', yesOrNo),
    ...optional('sequence'),
    ...optional('choice'),
    ...optional('format'),
    ...optional('series'),
    ...optional('number'),
  }
}

const yesOrNo = { yes: true, true: true, no: false, false: false } as const

function oneOf<T>(name: string, value: string, values: Readonly<Record<string, T>>): T {
  const found = Object.hasOwn(values, value) ? values[value] : undefined
  if (found === undefined) {
    const allowed = Object.keys(values).join(', ')
    throw new TrawlError(
      'ERR_CONFIG_INVALID',
      `The option ${name} of the source iiif is "${value}"; allowed are ${allowed}`,
      {
        context: { field: name },
      },
    )
  }
  return found
}

/** The element that a wish names by number from 1 or by a part of its label; undefined when there is none. */
export function pickNamed<T extends { readonly label?: string }>(
  list: readonly T[],
  wish: string,
): T | undefined {
  if (/^\d+$/.test(wish)) return list[Number(wish) - 1]
  return list.find((one) => one.label?.toLowerCase().includes(wish.toLowerCase()) ?? false)
}
