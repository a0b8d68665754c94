import type { CookieJar } from '../cookies/cookie-jar.ts'
import type { Interceptor } from '../transport.ts'

/**
 * Sends the cookies of a jar and keeps those that servers set. A Cookie header of the request itself goes first
 * and wins over cookies of the same name.
 */
export function cookies(jar: CookieJar): Interceptor {
  return (next) => async (request, options) => {
    const kept = jar.headerFor(request.url)
    const own = request.headers['cookie']
    const cookie = own === undefined || kept === undefined ? kept : merge(own, kept)
    const asked = cookie === undefined ? request : { ...request, headers: { ...request.headers, cookie } }
    const response = await next(asked, options)
    const set = response.headers['set-cookie']
    if (set !== undefined) jar.store(request.url, typeof set === 'string' ? [set] : set)
    return response
  }
}

function merge(own: string, kept: string): string {
  const ownNames = new Set(own.split(';').map(nameOf))
  return [own, ...kept.split('; ').filter((pair) => !ownNames.has(nameOf(pair)))].join('; ')
}

function nameOf(pair: string): string {
  return (pair.split('=')[0] ?? '').trim()
}
