import { nearest } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import type { GetInputOptions } from './get-spec.ts'

type InputField = keyof GetInputOptions | 'url' | 'urls' | 'source' | 'ref'

/** All fields of an input; the type keeps it whole. */
const known: Readonly<Record<InputField, true>> = {
  url: true,
  urls: true,
  source: true,
  ref: true,
  target: true,
  path: true,
  headers: true,
  checksum: true,
  digests: true,
  digestAlgorithm: true,
  expectedSizeBytes: true,
  priority: true,
  limitRateBps: true,
  split: true,
  fields: true,
}

/** Throws ERR_INPUT_INVALID for a field that inputs do not have: a checksum that is misspelt would not be compared. */
export function checkInputFields(input: object): void {
  for (const name of Object.keys(input)) {
    if (Object.hasOwn(known, name)) continue
    const meant = nearest(name, Object.keys(known))
    const words = meant === undefined ? '' : `; did you mean ${meant}?`
    throw new TrawlError('ERR_INPUT_INVALID', `unknown field ${JSON.stringify(name)}${words}`, {
      hint: `Fields of an input are ${Object.keys(known).join(', ')}.`,
      context: { field: name },
    })
  }
}
