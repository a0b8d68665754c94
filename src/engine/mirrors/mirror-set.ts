import { TrawlError, type Place } from '../../core/index.ts'
import { hostOf } from '../run/host-of.ts'

interface Mirror {
  readonly place: Place
  /** Who answered last: redirects may lead elsewhere. */
  origin: string
  /** Answers came from more than one origin. */
  wanders: boolean
  /** Bytes a second of one connection; 0 while not measured. */
  rateBps: number
  failures: number
  notBeforeMs: number
  gaveBytes: boolean
}

/** So many failures in a row, without a byte between them, and a mirror is left out. */
const maxFailures = 4

/** The addresses that one transfer uses: how each does, which is asked next, and which no more. */
export class MirrorSet {
  #mirrors: readonly Mirror[]
  readonly #leftOut: string[] = []
  readonly #givers = new Set<string>()

  /** `origins` are those that answered earlier; one that is not the host of a place is where redirects led. */
  constructor(places: readonly Place[], origins: readonly string[] = []) {
    const hosts = places.map(({ url }) => hostOf(url))
    const led = origins.filter((origin) => !hosts.includes(origin))
    this.#mirrors = places.map((place, i) => {
      const host = hosts[i] ?? ''
      const behind = places.length === 1 && led.length === 1 && !origins.includes(host) ? led[0] : undefined
      return {
        place,
        origin: behind ?? host,
        wanders: false,
        rateBps: 0,
        failures: 0,
        notBeforeMs: 0,
        gaveBytes: false,
      }
    })
  }

  /** Addresses that are still in use. */
  get size(): number {
    return this.#mirrors.length
  }

  /** URLs that are not to be asked again for this file. */
  get leftOut(): readonly string[] {
    return this.#leftOut
  }

  /** URLs whose bytes are in the file, also where they were left out since. */
  get givers(): readonly string[] {
    return [...this.#givers]
  }

  /**
   * Places in the order in which a further connection should ask them; those that failed just now are missing. The
   * more bytes a second a connection to a mirror brings and the fewer there are, the earlier; a mirror that was not
   * measured counts as the best one, so that each gets its try; else the order given.
   */
  ranked(users: (place: Place) => number, nowMs: number): readonly Place[] {
    const ready = this.#mirrors.filter((each) => each.notBeforeMs <= nowMs)
    if (ready.length <= 1) return ready.map((each) => each.place)
    const best = Math.max(1, ...this.#mirrors.map((each) => each.rateBps))
    const worth = (each: Mirror): number =>
      ((each.rateBps || best) / (1 + users(each.place))) * 0.5 ** each.failures
    return ready.toSorted((a, b) => worth(b) - worth(a)).map((each) => each.place)
  }

  /** The origin whose validators a request to the place should name; undefined where another answers each time. */
  originOf(place: Place): string | undefined {
    const mirror = this.#find(place)
    return mirror === undefined || mirror.wanders ? undefined : mirror.origin
  }

  /** Notes who answered. */
  answered(place: Place, origin: string): void {
    const mirror = this.#find(place)
    if (!mirror || mirror.origin === origin) return
    // The first answer of all only shows where redirects lead.
    mirror.wanders = mirror.gaveBytes
    mirror.origin = origin
  }

  /** Notes that bytes came, and how fast. */
  gave(place: Place, rateBps?: number): void {
    const mirror = this.#find(place)
    if (!mirror) return
    if (!mirror.gaveBytes) this.#givers.add(place.url)
    mirror.gaveBytes = true
    mirror.failures = 0
    if (rateBps !== undefined && rateBps > 0) {
      mirror.rateBps = mirror.rateBps === 0 ? rateBps : mirror.rateBps * 0.7 + rateBps * 0.3
    }
  }

  /**
   * Notes a failure. True where the mirror is left out from now on: it has no such file, or another one, or fails
   * all the time. The last one never is: what its failure means is for the retry policy to say.
   */
  failed(place: Place, error: TrawlError, nowMs: number): boolean {
    const mirror = this.#find(place)
    if (!mirror) return false
    mirror.failures++
    mirror.notBeforeMs = nowMs + Math.min(30_000, 500 * 2 ** Math.min(mirror.failures, 10))
    const isUseless = error.retry === 'never' || disagrees.has(error.code) || mirror.failures >= maxFailures
    if (!isUseless || this.#mirrors.length === 1) return false
    this.#mirrors = this.#mirrors.filter((each) => each !== mirror)
    this.#leftOut.push(place.url)
    return true
  }

  #find(place: Place): Mirror | undefined {
    return this.#mirrors.find((each) => each.place === place)
  }
}

/** What a mirror answers that has another version, or cannot give parts. */
const disagrees: ReadonlySet<string> = new Set([
  'ERR_ENTITY_CHANGED',
  'ERR_RANGE_INVALID',
  'ERR_RANGE_IGNORED',
])

/** What people are told of a mirror that is not asked any more. */
export function leftOut(place: Place, error: TrawlError): TrawlError {
  const { code, message, retry } = error
  return new TrawlError(code, `the mirror ${place.url} is left out: ${message}`, {
    cause: error,
    retry,
    context: { ...error.context, url: place.url },
  })
}
