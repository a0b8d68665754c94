import { isJsonObject, listOf, objectsOf, type JsonObject } from '../json.ts'
import { idOf, referenceOf, typeOf } from './painting.ts'

/**
 * The address of the manifest that a viewer's URL shows: `?manifest=`, `#?manifest=` or `?iiif-content=` (IIIF
 * Content State 1.0, plain or encoded). Undefined when the URL carries none.
 */
export function manifestInUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const hash = url.hash.replace(/^#!?\/?\??/, '')
  for (const parameters of [url.searchParams, new URLSearchParams(hash)]) {
    const manifest = parameters.get('manifest') ?? parameters.get('manifestUri')
    if (manifest !== null && /^https?:\/\//i.test(manifest)) return manifest
    const state = parameters.get('iiif-content')
    const found = state === null ? undefined : manifestInState(state)
    if (found !== undefined && /^https?:\/\//i.test(found)) return found
  }
  return undefined
}

/** The manifest that a content state names: an address, JSON, or JSON in the base64url form of the specification. */
function manifestInState(state: string): string | undefined {
  const text = state.trim()
  if (/^https?:\/\//i.test(text)) return text
  const candidates = [text, decodeState(text)]
  for (const candidate of candidates) {
    if (candidate === undefined || !candidate.startsWith('{')) continue
    try {
      const json: unknown = JSON.parse(candidate)
      if (isJsonObject(json)) return manifestOfState(json)
    } catch {
      // Not JSON in this form; the other one is tried.
    }
  }
  return undefined
}

/** The manifest of a content state annotation, or of the canvas or range that it points at. */
export function manifestOfState(json: JsonObject): string | undefined {
  for (const target of [json, ...objectsOf(json['target'])]) {
    const inner = objectsOf(target['source'])[0]
    for (const one of inner === undefined ? [target] : [target, inner]) {
      if (['manifest', 'collection'].includes(typeOf(one))) return idOf(one)
      const whole = objectsOf(one['partOf'] ?? one['within']).find((part) => typeOf(part) !== 'collection')
      if (whole !== undefined) return idOf(whole)
    }
  }
  const [first] = listOf(json['target'])
  return typeof first === 'string' ? referenceOf(first) : undefined
}

/** Base64url of the percent-encoded JSON (IIIF Content State API 1.0, section 6). */
function decodeState(text: string): string | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(text)) return undefined
  try {
    return decodeURIComponent(Buffer.from(text, 'base64url').toString('latin1'))
  } catch {
    return undefined
  }
}
