import { describe, expect, it } from 'vitest'
import { catalog, isErrorCode, toTrawlError, TrawlError, type ErrorContext } from '../../../src/core/index.ts'
import { filterSample } from '../../../src/images/index.ts'
import { rowCodeNames, rowCodes, rowFailure, rowSelector } from '../../../src/datasets/samples/index.ts'

function codeOf(code: string, context: ErrorContext = {}): string {
  if (!isErrorCode(code)) throw new Error(code)
  return rowFailure(new TrawlError(code, 'message', { context })).code
}

function filtered(widthPx: number, heightPx: number): string | undefined {
  try {
    filterSample(widthPx, heightPx, { minImageSizePx: 50, maxImageAreaPx: 100_000, maxAspectRatio: 3 })
  } catch (error) {
    return rowFailure(toTrawlError(error)).code
  }
  return undefined
}

describe('rowFailure', () => {
  it('tells HTTP statuses, filters and opt-outs apart', () => {
    expect(codeOf('ERR_HTTP_NOT_FOUND', { status: 404 })).toBe('http_404')
    expect(codeOf('ERR_HTTP_NOT_FOUND', { status: 410 })).toBe('http_410')
    expect(codeOf('ERR_HTTP_AUTH', { status: 407 })).toBe('http_4xx')
    expect(codeOf('ERR_HTTP_STATUS', { status: 451 })).toBe('http_4xx')
    expect(codeOf('ERR_HTTP_SERVER', { status: 502 })).toBe('http_5xx')
    expect(codeOf('ERR_HTTP_SERVER')).toBe('http_5xx')
    expect(codeOf('ERR_HTTP_THROTTLED', { status: 429 })).toBe('http_429')
    expect(codeOf('ERR_HTTP_THROTTLED', { status: 503 })).toBe('http_5xx')
    expect(codeOf('ERR_NET_STALLED')).toBe('timeout')
    expect(filtered(10, 99)).toBe('filtered_small')
    expect(filtered(400, 251)).toBe('filtered_area')
    expect(filtered(100, 301)).toBe('filtered_ratio')
    expect(codeOf('ERR_SAMPLE_FILTERED')).toBe('filtered')
    expect(codeOf('ERR_ROBOTS_DISALLOWED')).toBe('robots')
    expect(codeOf('ERR_ROBOTS_DISALLOWED', { optOut: true })).toBe('opt_out')
  })

  it('knows every error that belongs to a single task, and throws those of disks and jobs again', () => {
    const unknown: string[] = []
    for (const [code, kind] of Object.entries(catalog)) {
      const error = new TrawlError(isErrorCode(code) ? code : 'ERR_INTERNAL', 'x')
      try {
        rowFailure(error)
      } catch (thrown) {
        expect(thrown).toBe(error)
        if (kind.scope === 'task' || kind.scope === 'host') unknown.push(code)
      }
    }
    // Errors of files and books, which no row has.
    expect(
      unknown.filter((code) =>
        /^ERR_(NET|HTTP|URL|IMAGE|SAMPLE|TABLE|LENGTH|RANGE|ENTITY|DIGEST)/.test(code),
      ),
    ).toEqual([])
    expect(() => rowFailure(new TrawlError('ERR_NO_SPACE', 'full'))).toThrow('full')
    expect(() => rowFailure(new TrawlError('ERR_CANCELLED', 'stop'))).toThrow('stop')
  })

  it('puts each error under one code, and gives img2dataset one of its three statuses', () => {
    const errors = rowCodeNames().flatMap((code) => [...rowCodes[code].errors])
    expect(new Set(errors).size).toBe(errors.length)
    expect(rowFailure(new TrawlError('ERR_NET_DNS', 'x')).status).toBe('failed_to_download')
    expect(rowFailure(new TrawlError('ERR_LENGTH_MISMATCH', 'x')).status).toBe('failed_to_download')
    expect(rowFailure(new TrawlError('ERR_IMAGE_DAMAGED', 'x')).status).toBe('failed_to_resize')
    expect(rowFailure(new TrawlError('ERR_SAMPLE_FILTERED', 'x')).status).toBe('failed_to_resize')
  })

  it('gives messages that are the same in every run', () => {
    expect(rowFailure(new TrawlError('ERR_NET_TIMEOUT', 'no answer for 10.23 s')).message).toBe(
      'timeout: The server did not answer in time.',
    )
    expect(rowFailure(new TrawlError('ERR_TABLE_ROW', "t.csv, row 2, column 'url': empty")).message).toBe(
      "input_row: t.csv, row 2, column 'url': empty",
    )
  })
})

interface Row {
  readonly status: string
  readonly errorCode: string | null
  readonly httpStatus: number | null
}

function row(status: string, errorCode: string | null, httpStatus: number | null = null): Row {
  return { status, errorCode, httpStatus }
}

describe('rowSelector', () => {
  it('chooses by code, family, status and HTTP status', () => {
    const unavailable = row('failed_to_download', 'http_5xx', 503)
    expect(rowSelector('http_5xx')?.(unavailable)).toBe(true)
    expect(rowSelector('http_503')?.(unavailable)).toBe(true)
    expect(rowSelector('http_500')?.(unavailable)).toBe(false)
    expect(rowSelector('http_4xx')?.(row('failed_to_download', 'http_404', 404))).toBe(true)
    expect(rowSelector('http_404')?.(row('failed_to_download', 'http_404', 404))).toBe(true)
    expect(rowSelector('timeout')?.(unavailable)).toBe(false)
    expect(rowSelector('failed_to_resize')?.(row('failed_to_resize', 'decode'))).toBe(true)
    expect(rowSelector('failed')?.(row('success', null, 200))).toBe(false)
    expect(rowSelector('http_200')?.(row('success', null, 200))).toBe(false)
    expect(rowSelector('nonsense')).toBeUndefined()
  })
})
