import { isTrawlError, TrawlError } from '../../core/index.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { FetchedDocument, SourceContext } from '../source.ts'
import { parseImageInfo, type ImageInfo } from './image-info.ts'

/** What came of asking for an info.json. */
export type InfoResult =
  | { readonly type: 'info'; readonly info: ImageInfo }
  /** The server wants credentials; the body may say more. */
  | { readonly type: 'locked'; readonly status: number; readonly body: JsonObject | undefined }
  | { readonly type: 'missing' }

/** Fetches the info.json of image services, each once, for one extraction. */
export interface ImageInfos {
  /** Rejects only with ERR_CANCELLED. */
  get(base: string, signal: AbortSignal): Promise<InfoResult>
}

const failuresBeforeGivingUp = 3

/**
 * Infos with a memory for one extraction. A host that fails three times in a row is not asked again: its images are
 * requested from what the manifest says.
 */
export function createImageInfos(context: SourceContext): ImageInfos {
  const known = new Map<string, Promise<InfoResult>>()
  const failures = new Map<string, number>()
  const told = new Set<string>()
  const ask = async (base: string, signal: AbortSignal): Promise<InfoResult> => {
    const host = URL.canParse(base) ? new URL(base).host : ''
    if (host === '' || (failures.get(host) ?? 0) >= failuresBeforeGivingUp) return { type: 'missing' }
    try {
      const found = await context.fetch(`${base}/info.json`, {
        headers: { accept: 'application/ld+json, application/json;q=0.9' },
        signal,
      })
      const result = judge(found, base)
      failures.set(host, 0)
      return result
    } catch (error) {
      if (signal.aborted) throw error
      failures.set(host, (failures.get(host) ?? 0) + 1)
      if (!told.has(host)) {
        told.add(host)
        const reason = error instanceof Error ? error.message : String(error)
        context.notice(`Image sizes of ${host} are taken from the manifest: ${reason}`)
      }
      return { type: 'missing' }
    }
  }
  return {
    get(base, signal) {
      const before = known.get(base)
      if (before !== undefined) return before
      const result = ask(base, signal)
      known.set(base, result)
      return result
    },
  }
}

function judge(found: FetchedDocument, base: string): InfoResult {
  if (found.status === 401 || found.status === 403) {
    return { type: 'locked', status: found.status, body: tryObject(found.text) }
  }
  if (found.status >= 400) {
    throw new TrawlError('ERR_HTTP_STATUS', `${found.url} answered ${found.status}`, {
      context: { url: found.url },
    })
  }
  try {
    return { type: 'info', info: parseImageInfo(JSON.parse(found.text), base) }
  } catch (error) {
    if (isTrawlError(error)) throw error
    throw new TrawlError('ERR_SOURCE_PARSE', `${found.url} is not JSON`, {
      cause: error,
      context: { url: found.url },
    })
  }
}

function tryObject(text: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return isJsonObject(json) ? json : undefined
  } catch {
    return undefined
  }
}
