import { describe, expect, test } from 'vitest'
import { TrawlError } from '../../src/core/index.ts'
import { connectError, exchangeError } from '../../src/http/network-error.ts'

function systemError(code: string, syscall = 'connect'): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall })
}

const https = { protocol: 'https:', hostname: 'example.org', port: '' }
const http = { protocol: 'http:', hostname: 'example.org', port: '8080' }

describe('errors of connecting', () => {
  test.each([
    [systemError('EMFILE'), http, 'ERR_TOO_MANY_FILES', 'backoff', 'process'],
    [systemError('ECONNREFUSED'), http, 'ERR_NET_CONNECT', 'backoff', 'host'],
    [systemError('EHOSTUNREACH'), https, 'ERR_NET_CONNECT', 'backoff', 'host'],
    [systemError('ETIMEDOUT'), http, 'ERR_NET_TIMEOUT', 'backoff', 'host'],
    [systemError('UND_ERR_CONNECT_TIMEOUT'), https, 'ERR_NET_TIMEOUT', 'backoff', 'host'],
    [systemError('EAI_AGAIN', 'getaddrinfo'), http, 'ERR_NET_DNS', 'backoff', 'host'],
    [systemError('ESERVFAIL', 'queryA'), http, 'ERR_NET_DNS', 'backoff', 'host'],
    [systemError('ECONNREFUSED', 'queryA'), http, 'ERR_NET_DNS', 'backoff', 'host'],
    [systemError('ETIMEOUT', 'queryAaaa'), http, 'ERR_NET_DNS', 'backoff', 'host'],
    [systemError('ENOTFOUND', 'queryA'), http, 'ERR_NET_DNS', 'never', 'task'],
    [systemError('ENODATA', 'queryA'), http, 'ERR_NET_DNS', 'never', 'task'],
    [systemError('DEPTH_ZERO_SELF_SIGNED_CERT'), https, 'ERR_NET_TLS', 'never', 'task'],
    [systemError('CERT_HAS_EXPIRED'), https, 'ERR_NET_TLS', 'never', 'task'],
    [systemError('ERR_TLS_CERT_ALTNAME_INVALID'), https, 'ERR_NET_TLS', 'never', 'task'],
    [systemError('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'), https, 'ERR_NET_TLS', 'backoff', 'task'],
    [systemError('ECONNRESET'), https, 'ERR_NET_TLS', 'backoff', 'task'],
    [systemError('ECONNRESET'), http, 'ERR_NET_CONNECT', 'backoff', 'host'],
  ] as const)('%s', (error, target, code, retry, scope) => {
    expect(connectError(error, target)).toMatchObject({ code, retry, scope, cause: error })
  })

  test('of several addresses, the one that says most counts', () => {
    const tried = new AggregateError([
      Object.assign(systemError('ENETUNREACH'), { address: '2001:db8::1' }),
      Object.assign(systemError('ECONNREFUSED'), { address: '192.0.2.1' }),
    ])
    expect(connectError(tried, https)).toMatchObject({
      code: 'ERR_NET_CONNECT',
      message: 'example.org:443: refused',
      context: {
        systemCode: 'ECONNREFUSED',
        tried: ['2001:db8::1 (ENETUNREACH)', '192.0.2.1 (ECONNREFUSED)'],
      },
    })
  })

  test('ours pass as they are', () => {
    const ours = new TrawlError('ERR_NET_PROXY', 'x')
    expect(connectError(ours, http)).toBe(ours)
  })
})

describe('errors of an exchange', () => {
  const body = { url: 'http://x/f', phase: 'body', receivedBytes: 5, expectedBytes: 9 } as const
  const open = { url: 'http://x/f', phase: 'body', receivedBytes: 5 } as const
  const headers = { url: 'http://x/f', phase: 'headers', receivedBytes: 0 } as const
  const socketError = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })

  test.each([
    [socketError, body, 'ERR_LENGTH_MISMATCH'],
    [socketError, open, 'ERR_NET_RESET'],
    [socketError, headers, 'ERR_NET_RESET'],
    [systemError('ECONNRESET', 'read'), body, 'ERR_NET_RESET'],
    [systemError('ETIMEDOUT', 'read'), body, 'ERR_NET_RESET'],
    [systemError('EPIPE', 'write'), headers, 'ERR_NET_RESET'],
    [systemError('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC'), body, 'ERR_NET_RESET'],
    [systemError('UND_ERR_HEADERS_TIMEOUT'), headers, 'ERR_NET_TIMEOUT'],
    [systemError('UND_ERR_BODY_TIMEOUT'), body, 'ERR_NET_STALLED'],
    [systemError('UND_ERR_HEADERS_OVERFLOW'), headers, 'ERR_HTTP_PROTOCOL'],
    [systemError('UND_ERR_DESTROYED'), headers, 'ERR_CANCELLED'],
    [new Error('something else'), body, 'ERR_NET_RESET'],
  ] as const)('%s in %o', (error, progress, code) => {
    expect(exchangeError(error, progress)).toMatchObject({ code, context: { url: 'http://x/f' } })
  })
})
