import { isIP } from 'node:net'
import { TrawlError } from '../../core/index.ts'
import type { HostAddress } from './dns-cache.ts'

/** Addresses given by hand for a host and port. */
export interface ResolveOverrides {
  find(hostname: string, port: number): readonly HostAddress[] | undefined
}

/**
 * Reads overrides in curl's form: `host:port:address[,address...]`, where `*` stands for any port. IPv6 addresses
 * may stand in brackets.
 *
 * @throws TrawlError ERR_CONFIG_INVALID, naming the entry
 */
export function parseResolveOverrides(entries: readonly string[]): ResolveOverrides {
  const known = new Map<string, readonly HostAddress[]>()
  for (const entry of entries) {
    const match = /^([^:]+):(\d{1,5}|\*):(.+)$/.exec(entry.trim())
    const addresses = match?.[3]?.split(',').map((text) => parseAddress(text.trim().replace(/^\[|\]$/g, '')))
    if (match === null || addresses === undefined || addresses.includes(undefined)) {
      throw new TrawlError('ERR_CONFIG_INVALID', `not host:port:address: ${entry}`, {
        context: { field: 'resolve' },
      })
    }
    known.set(
      `${match[1]?.toLowerCase()}:${match[2]}`,
      addresses.filter((address) => address !== undefined),
    )
  }
  return {
    find: (hostname, port) => known.get(`${hostname}:${port}`) ?? known.get(`${hostname}:*`),
  }
}

function parseAddress(address: string): HostAddress | undefined {
  const family = isIP(address)
  return family === 4 || family === 6 ? { address, family } : undefined
}
