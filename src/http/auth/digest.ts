import { createHash, randomBytes } from 'node:crypto'
import type { Challenge } from './challenge.ts'
import type { Credentials } from './netrc.ts'

/** Hash functions by the names of RFC 7616 and of Node. */
const hashes: Readonly<Record<string, string>> = {
  md5: 'md5',
  'sha-256': 'sha256',
  'sha-512-256': 'sha512-256',
}

/** What a Digest response is computed from. */
export interface DigestRequest {
  readonly challenge: Challenge
  readonly credentials: Credentials
  readonly method: string
  /** Path and query, as in the request line. */
  readonly uri: string
  /** How often this nonce was used, this time included. */
  readonly count: number
  /** Client nonce; random when left out. */
  readonly clientNonce?: string
}

/** True for a Digest challenge with an algorithm and a quality of protection that are understood. */
export function canAnswerDigest(challenge: Challenge): boolean {
  const { scheme, parameters } = challenge
  const qop = parameters['qop']
  return (
    scheme === 'digest' &&
    parameters['nonce'] !== undefined &&
    parameters['realm'] !== undefined &&
    hashes[algorithmOf(challenge).name] !== undefined &&
    (qop === undefined || offersAuth(qop))
  )
}

/**
 * The Authorization value that answers a Digest challenge (RFC 7616, 3.4): MD5, SHA-256 or SHA-512-256, with or
 * without `-sess`; `qop=auth`, or none as in RFC 2069; user names hashed where the server wants it.
 */
export function answerDigest(request: DigestRequest): string {
  const { challenge, credentials, method, uri } = request
  const { realm = '', nonce = '', qop, opaque, userhash } = challenge.parameters
  const { name, session } = algorithmOf(challenge)
  const hash = (text: string): string =>
    createHash(hashes[name] ?? 'md5')
      .update(text)
      .digest('hex')
  const clientNonce = request.clientNonce ?? randomBytes(16).toString('hex')
  const count = request.count.toString(16).padStart(8, '0')

  const secret = hash(`${credentials.username}:${realm}:${credentials.password}`)
  const first = session ? hash(`${secret}:${nonce}:${clientNonce}`) : secret
  const second = hash(`${method}:${uri}`)
  const withQop = qop !== undefined
  const response = withQop
    ? hash(`${first}:${nonce}:${count}:${clientNonce}:auth:${second}`)
    : hash(`${first}:${nonce}:${second}`)

  const hashesUser = userhash?.toLowerCase() === 'true'
  const username = hashesUser ? hash(`${credentials.username}:${realm}`) : credentials.username
  const parts = [
    usernamePart(username),
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
  ]
  parts.push(`response="${response}"`)
  if (challenge.parameters['algorithm'] !== undefined)
    parts.push(`algorithm=${challenge.parameters['algorithm']}`)
  if (withQop) parts.push(`qop=auth`, `nc=${count}`)
  if (withQop || session) parts.push(`cnonce="${clientNonce}"`)
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`)
  if (hashesUser) parts.push('userhash=true')
  return `Digest ${parts.join(', ')}`
}

function algorithmOf(challenge: Challenge): { readonly name: string; readonly session: boolean } {
  const name = (challenge.parameters['algorithm'] ?? 'MD5').toLowerCase()
  return name.endsWith('-sess') ? { name: name.slice(0, -5), session: true } : { name, session: false }
}

function offersAuth(qop: string): boolean {
  return qop.split(',').some((one) => one.trim().toLowerCase() === 'auth')
}

function usernamePart(username: string): string {
  if (/^[\x20-\x7e]*$/.test(username)) return `username=${quote(username)}`
  // RFC 7616, 3.4: names beyond ASCII in the form of RFC 8187.
  const encoded = encodeURIComponent(username).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  return `username*=UTF-8''${encoded}`
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
