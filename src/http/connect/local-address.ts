import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { TrawlError } from '../../core/index.ts'
import type { HostAddress } from './dns-cache.ts'

/**
 * The addresses to connect from: the given one, or those of the network interface with that name. Link-local
 * IPv6 addresses are left out, since they reach no server by themselves.
 *
 * @throws TrawlError ERR_CONFIG_INVALID when it is neither an address nor an interface that has one
 */
export function localAddresses(nameOrAddress: string): readonly HostAddress[] {
  const family = isIP(nameOrAddress)
  if (family === 4 || family === 6) return [{ address: nameOrAddress, family }]
  const found = (networkInterfaces()[nameOrAddress] ?? [])
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address, family }) => ({ address, family: family === 'IPv6' ? (6 as const) : (4 as const) }))
  if (found.length > 0) return found
  const known = Object.keys(networkInterfaces()).join(', ')
  throw new TrawlError('ERR_CONFIG_INVALID', `no address or network interface: ${nameOrAddress}`, {
    hint: `Interfaces with an address: ${known}.`,
    context: { field: 'interface' },
  })
}
