import ipaddr from 'ipaddr.js'
import { TrawlError } from '../../core/index.ts'

/** Says whether an address may be connected to. */
export type AddressGuard = (address: string) => boolean

type Address = ReturnType<typeof ipaddr.process>

/**
 * A guard that refuses everything but public unicast addresses: loopback, private, link-local (and with it the
 * metadata service of clouds), carrier-grade NAT, multicast, reserved, and addresses that embed another one
 * (IPv4-mapped, 6to4, Teredo, NAT64) unless that one is public too.
 *
 * @param allow addresses and CIDR blocks that are allowed all the same.
 * @throws TrawlError ERR_CONFIG_INVALID for an entry of `allow` that is neither
 */
export function createAddressGuard(allow: readonly string[] = []): AddressGuard {
  const blocks = allow.map(parseBlock)
  return (text) => {
    if (!ipaddr.isValid(text)) return false
    const address = ipaddr.process(text)
    return blocks.some((block) => matches(address, block)) || address.range() === 'unicast'
  }
}

/**
 * Refuses a host that is an address literal which the guard does not allow. Names pass: what they resolve to is
 * checked when connecting.
 *
 * @throws TrawlError ERR_NET_ADDRESS_REFUSED
 */
export function checkLiteralHost(hostname: string, guard: AddressGuard): void {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  if (ipaddr.isValid(host) && !guard(host)) throw addressRefused(host, host)
}

/** The error for an address that the guard does not allow. */
export function addressRefused(hostname: string, address: string): TrawlError {
  const place = hostname === address ? address : `${hostname} (${address})`
  return new TrawlError('ERR_NET_ADDRESS_REFUSED', `${place} is not a public address`, {
    context: { host: hostname, address },
  })
}

function parseBlock(text: string): readonly [Address, number] {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text)
    const address = ipaddr.process(text)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch (error) {
    throw new TrawlError('ERR_CONFIG_INVALID', `not an address or CIDR block: ${text}`, { cause: error })
  }
}

function matches(address: Address, [block, bits]: readonly [Address, number]): boolean {
  return address.kind() === block.kind() && address.match(block, bits)
}
