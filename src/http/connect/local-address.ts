import { createSocket } from 'node:dgram'
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
  throw new TrawlError(
    'ERR_CONFIG_INVALID',
    `--interface: no address or network interface: ${nameOrAddress}`,
    {
      hint: `Interfaces with an address: ${known}.`,
      context: { field: 'interface' },
    },
  )
}

/**
 * Tries whether this machine can send from an address or interface, without a packet.
 *
 * @throws TrawlError ERR_CONFIG_INVALID when it cannot
 */
export async function checkLocalAddress(nameOrAddress: string): Promise<void> {
  for (const { address, family } of localAddresses(nameOrAddress)) {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject).bind({ address, port: 0, exclusive: true }, resolve)
      })
    } catch (error) {
      throw new TrawlError('ERR_CONFIG_INVALID', `--interface: this machine has no address ${address}`, {
        cause: error,
        hint: 'Give an address or the name of an interface of this machine, such as `ip address` shows them.',
        context: { field: 'interface' },
      })
    } finally {
      socket.close()
    }
  }
}
