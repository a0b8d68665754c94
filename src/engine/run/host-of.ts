import { TrawlError } from '../../core/index.ts'

/** Host and port of a URL, as limits are kept by. Cheaper than parsing the whole URL. */
export function hostOf(url: string): string {
  const start = url.indexOf('://') + 3
  if (start < 3) throw new TrawlError('ERR_URL_INVALID', `${url} is not a URL`, { context: { url } })
  let end = start
  while (end < url.length && !'/?#'.includes(url[end] ?? '/')) end++
  const at = url.lastIndexOf('@', end)
  return url.slice(at >= start ? at + 1 : start, end).toLowerCase()
}

/** True when a host with its port is the one that a user names, with or without a port. */
export function isOfHost(host: string, named: string): boolean {
  return host === named || host.replace(/:\d+$/, '') === named
}
