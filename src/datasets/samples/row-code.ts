import { catalog, type ErrorCode, type TrawlError } from '../../core/index.ts'

/** The statuses of img2dataset. */
export type SampleStatus = 'success' | 'failed_to_download' | 'failed_to_resize'

interface RowCodeKind {
  /** What it means, for people. */
  readonly meaning: string
  /** The errors that become it. */
  readonly errors: readonly ErrorCode[]
}

/**
 * Why a row of a dataset failed: the values of `error_code` in its outputs and of `--status`. Never renamed. The codes
 * `http_NNN`, `filtered_*` and `opt_out` are told apart by the context of the error.
 */
export const rowCodes = {
  input_row: {
    meaning: 'The row of the table cannot be parsed, or has no URL.',
    errors: ['ERR_TABLE_ROW', 'ERR_INPUT_INVALID'],
  },
  url: {
    meaning: 'The URL cannot be parsed, or is not http or https.',
    errors: ['ERR_URL_INVALID', 'ERR_URL_SCHEME'],
  },
  dns: { meaning: 'The host name could not be resolved.', errors: ['ERR_NET_DNS'] },
  connect: { meaning: 'No connection could be made.', errors: ['ERR_NET_CONNECT'] },
  reset: { meaning: 'The connection broke.', errors: ['ERR_NET_RESET'] },
  tls: { meaning: 'The TLS handshake failed, or the certificate is not trusted.', errors: ['ERR_NET_TLS'] },
  timeout: {
    meaning: 'The server did not answer in time, or stopped sending.',
    errors: ['ERR_NET_TIMEOUT', 'ERR_NET_STALLED'],
  },
  proxy: { meaning: 'The proxy refused or failed.', errors: ['ERR_NET_PROXY'] },
  address: { meaning: 'The address is private and not allowed here.', errors: ['ERR_NET_ADDRESS_REFUSED'] },
  protocol: {
    meaning: 'The answer is not valid HTTP, or not what was asked for.',
    errors: ['ERR_HTTP_PROTOCOL', 'ERR_HTTP_ENCODED', 'ERR_RANGE_INVALID', 'ERR_RANGE_IGNORED'],
  },
  redirect: {
    meaning: 'Too many redirects, a loop, or one to a place that is refused.',
    errors: ['ERR_HTTP_REDIRECT'],
  },
  http_401: { meaning: 'Unauthorized.', errors: [] },
  http_403: { meaning: 'Forbidden.', errors: [] },
  http_404: { meaning: 'Not found.', errors: [] },
  http_410: { meaning: 'Gone.', errors: [] },
  http_429: { meaning: 'Too many requests.', errors: ['ERR_HTTP_THROTTLED'] },
  http_4xx: {
    meaning: 'Another refusal of the server (4xx).',
    errors: ['ERR_HTTP_STATUS', 'ERR_HTTP_NOT_FOUND', 'ERR_HTTP_AUTH'],
  },
  http_5xx: { meaning: 'The server failed (5xx).', errors: ['ERR_HTTP_SERVER'] },
  too_large: { meaning: 'The file is larger than allowed.', errors: ['ERR_TOO_LARGE'] },
  truncated: {
    meaning: 'The body or the image ends too early.',
    errors: ['ERR_LENGTH_MISMATCH', 'ERR_IMAGE_TRUNCATED'],
  },
  changed: { meaning: 'The file changed while it was fetched.', errors: ['ERR_ENTITY_CHANGED'] },
  hash_mismatch: { meaning: 'The digest is not the one in the table.', errors: ['ERR_DIGEST_MISMATCH'] },
  robots: { meaning: 'robots.txt disallows it.', errors: ['ERR_ROBOTS_DISALLOWED'] },
  opt_out: { meaning: 'A header of the answer opts out (X-Robots-Tag, TDM-Reservation).', errors: [] },
  empty: { meaning: 'The body has no bytes.', errors: ['ERR_IMAGE_EMPTY'] },
  not_image: {
    meaning: 'What arrived is not an image.',
    errors: ['ERR_IMAGE_NOT_IMAGE', 'ERR_IMAGE_REFUSED', 'ERR_CONTENT_UNEXPECTED'],
  },
  unsupported: { meaning: 'The image format cannot be read.', errors: ['ERR_IMAGE_UNSUPPORTED'] },
  decode: {
    meaning: 'The image cannot be decoded in full.',
    errors: ['ERR_IMAGE_DAMAGED', 'ERR_IMAGE_DIMENSIONS'],
  },
  too_many_pixels: {
    meaning: 'The image has more pixels than may be decoded.',
    errors: ['ERR_IMAGE_TOO_LARGE'],
  },
  filtered_small: { meaning: 'The shorter side is less than --min-image-size.', errors: [] },
  filtered_area: { meaning: 'The image has more pixels than --max-image-area.', errors: [] },
  filtered_ratio: {
    meaning: 'The longer side is more than --max-aspect-ratio times the shorter.',
    errors: [],
  },
  filtered: { meaning: 'Left out by another filter.', errors: ['ERR_SAMPLE_FILTERED'] },
  internal: { meaning: 'Something that trawl did not foresee.', errors: ['ERR_INTERNAL'] },
} as const satisfies Record<string, RowCodeKind>

export type RowCode = keyof typeof rowCodes

/** By the `filter` that `filterSample` of the images puts into the context of its errors. */
const filterCodes: ReadonlyMap<unknown, RowCode> = new Map([
  ['image too small', 'filtered_small'],
  ['image area too large', 'filtered_area'],
  ['aspect ratio too large', 'filtered_ratio'],
])

const byError: ReadonlyMap<string, RowCode> = new Map(
  rowCodeNames().flatMap((code) => rowCodes[code].errors.map((error) => [error, code] as const)),
)

/** All codes. */
export function rowCodeNames(): RowCode[] {
  return Object.keys(rowCodes).filter(isRowCode)
}

export function isRowCode(text: string): text is RowCode {
  return Object.hasOwn(rowCodes, text)
}

/** What an error says of a row. */
export interface RowFailure {
  readonly status: Exclude<SampleStatus, 'success'>
  readonly code: RowCode
  /** One line, the same for the same failure in every run. */
  readonly message: string
}

/**
 * An error as the failure of a row. Errors that are not the row's (a full disk, a cancelled job) are thrown again:
 * their rows are not finished.
 */
export function rowFailure(error: TrawlError): RowFailure {
  const code = codeOf(error)
  if (code === undefined) throw error
  const afterArrival = /^ERR_(IMAGE|SAMPLE)_/.test(error.code)
  return {
    status: afterArrival ? 'failed_to_resize' : 'failed_to_download',
    code,
    message: `${code}: ${isStable(error) ? error.message : catalog[error.code].summary}`,
  }
}

function codeOf(error: TrawlError): RowCode | undefined {
  const { status } = error.context
  if (/^ERR_HTTP_(STATUS|NOT_FOUND|AUTH|SERVER|THROTTLED)$/.test(error.code) && typeof status === 'number') {
    const exact = `http_${status}`
    if (isRowCode(exact)) return exact
    if (status >= 500) return 'http_5xx'
    if (status >= 400) return 'http_4xx'
    // Such as 204: an answer, but not with a file.
    return 'protocol'
  }
  if (error.code === 'ERR_SAMPLE_FILTERED') return filterCodes.get(error.context['filter']) ?? 'filtered'
  if (error.code === 'ERR_ROBOTS_DISALLOWED' && error.context['optOut'] === true) return 'opt_out'
  return byError.get(error.code)
}

/** Messages of network errors hold times and addresses that differ from run to run. */
function isStable(error: TrawlError): boolean {
  return /^ERR_(TABLE|INPUT|URL|IMAGE|SAMPLE|DIGEST|ROBOTS)_/.test(error.code)
}

/** Chooses rows by words such as `http_5xx`, `timeout`, `failed_to_resize` or `failed`. */
export type RowSelector = (row: {
  readonly status: string
  readonly errorCode: string | null
  readonly httpStatus: number | null
}) => boolean

/**
 * A selector from the words of `--status`: row codes; `http_4xx` and `http_5xx` for all of their kind, `http_503` for
 * one; the statuses of img2dataset; `failed` for all that failed. Undefined for a word that is none of these.
 */
export function rowSelector(word: string): RowSelector | undefined {
  if (word === 'failed') return (row) => row.status !== 'success'
  if (word === 'failed_to_download' || word === 'failed_to_resize' || word === 'success') {
    return (row) => row.status === word
  }
  const family = /^http_(\d)xx$/.exec(word)?.[1]
  if (family !== undefined) return (row) => row.errorCode?.startsWith(`http_${family}`) === true
  const exact = /^http_(\d{3})$/.exec(word)?.[1]
  if (exact !== undefined) {
    return (row) => row.errorCode?.startsWith('http_') === true && row.httpStatus === Number(exact)
  }
  return isRowCode(word) ? (row) => row.errorCode === word : undefined
}
