import { TrawlError } from '../../core/index.ts'
import { firstText, isJsonObject, objectsOf, positiveOf, type JsonObject } from '../json.ts'
import type { SourceContext } from '../source.ts'
import type { ReadText } from './language.ts'
import type { IiifAuth, IiifImage } from './model.ts'
import { authOf, imageServiceOf } from './services.ts'

export interface ImageAccessOptions {
  readonly context: SourceContext
  readonly read: ReadText
  /** Access services that the manifest names. */
  readonly auth: readonly IiifAuth[]
  /** Take a substitute where the image itself is locked. */
  readonly substitute: boolean
}

/**
 * Finds out whether images are open (Authentication API 0 and 1, Authorization Flow API 2), and says so in the words
 * of the library. It never tries to go round a lock: cookies and tokens are the user's to give.
 */
export interface ImageAccess {
  /**
   * Asks the probe service of an image, where it has one. Gives the substitute to use instead of the image, or
   * undefined to use the image. Throws ERR_SOURCE_AUTH when the first page is locked.
   */
  check(image: IiifImage, page: PageTurn): Promise<IiifImage | undefined>
  /**
   * Reports that the server refused an info.json. Throws ERR_SOURCE_AUTH for the first page; for later ones it tells
   * once and goes on, so that the open pages of a work can still be had.
   */
  locked(image: IiifImage, refusal: Refusal, page: PageTurn): void
}

export interface Refusal {
  readonly status: number
  /** What the server answered, when that is JSON. */
  readonly body: JsonObject | undefined
}

/** The page that an image is for, and how to stop. */
export interface PageTurn {
  /** No page before it was open. */
  readonly first: boolean
  readonly signal: AbortSignal
}

export function createImageAccess(options: ImageAccessOptions): ImageAccess {
  const { context, read } = options
  const openServices = new Set<string>()
  let told = false
  const refuse = (words: string, image: IiifImage, page: PageTurn): void => {
    const url = image.service?.id ?? image.url ?? ''
    if (page.first) {
      throw new TrawlError('ERR_SOURCE_AUTH', `${url} is locked: ${words}`, {
        context: { url },
        hint: 'Sign in with a browser and give its cookies with --cookies, or a token with --header.',
      })
    }
    if (!told) context.notice(`Some pages are locked: ${words}`)
    told = true
  }
  return {
    async check(image, page) {
      const { auth } = image
      if (auth?.probe === undefined || openServices.has(auth.id)) return undefined
      const answer = await probe(auth.probe, context, page.signal)
      if (answer === undefined) return undefined
      const status = positiveOf(answer['status']) ?? 200
      if (status < 400) {
        openServices.add(auth.id)
        return undefined
      }
      const substitute = objectsOf(answer['substitute'])[0]
      const instead = substitute === undefined ? undefined : substituteImage(substitute)
      if (options.substitute && instead !== undefined) return instead
      const words = sentence([read(answer['heading']) ?? auth.heading, read(answer['note']) ?? auth.note])
      const offer =
        instead === undefined ? '' : ' A substitute is offered: set the option substitute to take it.'
      refuse(`${words}${offer}`, image, page)
      return undefined
    },
    locked(image, { status, body }, page) {
      const own = body === undefined ? undefined : authOf(body['service'], read)
      const auth = own ?? image.auth ?? options.auth[0]
      // 403 without an access service is a closed door of another kind; the image request will show it.
      if (status === 403 && auth === undefined) return
      refuse(sentence([auth?.heading, auth?.note]) || `the server answered ${status}.`, image, page)
    },
  }
}

async function probe(
  url: string,
  context: SourceContext,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  try {
    const found = await context.fetch(url, { headers: { accept: 'application/json' }, signal })
    const json: unknown = JSON.parse(found.text)
    if (!isJsonObject(json)) return undefined
    return json['status'] === undefined ? { ...json, status: found.status } : json
  } catch (error) {
    if (signal.aborted) throw error
    // A probe that is broken says nothing; the image itself will.
    return undefined
  }
}

function substituteImage(substitute: JsonObject): IiifImage | undefined {
  const url = firstText(substitute['id'], substitute['@id'])
  const service = imageServiceOf(substitute['service']) ?? imageServiceOf(substitute)
  if (url === undefined && service === undefined) return undefined
  return { ...(url === undefined ? {} : { url }), ...(service === undefined ? {} : { service }) }
}

function sentence(parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined)
    .map((part) => (/[.!?]$/.test(part) ? part : `${part}.`))
    .join(' ')
}
