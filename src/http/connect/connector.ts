import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { buildConnector as BuildConnector } from 'undici'
import { TrawlError } from '../../core/index.ts'
import type { Connect, ConnectTarget } from '../connection.ts'
import { loadBuildConnector } from '../undici.ts'
import { addressRefused, checkLiteralHost, type AddressGuard } from './address-guard.ts'
import type { HostAddress, HostLookup } from './dns-cache.ts'
import { localAddresses } from './local-address.ts'
import { openPlain } from './open-plain.ts'
import type { ResolveOverrides } from './resolve-overrides.ts'

/** Certificates and trust. Texts are PEM. */
export interface TlsOptions {
  /** Certificate authorities to trust in place of the built-in ones. */
  readonly ca?: string | readonly string[]
  /** Client certificate and its private key. */
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  /** Accepts any certificate. */
  readonly insecure?: boolean
}

/** How sockets are opened. */
export interface ConnectorOptions {
  /** Longest wait for one connection with its TLS handshake. */
  readonly timeoutMs: number
  readonly tls?: TlsOptions
  readonly allowHttp2?: boolean
  /** An address of this machine, or the name of a network interface, to connect from. */
  readonly localAddress?: string
  /** Only addresses of this family. */
  readonly family?: 4 | 6
  readonly lookup: HostLookup
  readonly overrides?: ResolveOverrides
  readonly guard?: AddressGuard
}

/**
 * Opens TCP and TLS connections: names resolved by the given lookup, IPv6 and IPv4 addresses raced (RFC 8305, as
 * far as Node does it), every address checked by the guard.
 */
export function createConnect(options: ConnectorOptions): Connect {
  const { guard } = options
  const connectors = new Map<string, Connector>()
  return (target, done) => {
    const { hostname, protocol } = target
    const port = target.port === '' ? (protocol === 'https:' ? '443' : '80') : target.port
    try {
      if (guard !== undefined) checkLiteralHost(hostname, guard)
      let connector = connectors.get(port)
      if (connector === undefined) {
        connector = connectorForPort(options, Number(port))
        connectors.set(port, connector)
      }
      // Literals are never looked up, so the local address must be chosen for them here.
      const localAddress = localAddressFor(options, isIP(hostname))
      const opening: unknown = connector(
        localAddress === undefined ? target : { ...target, localAddress },
        (error, socket) => {
          if (error !== null) return done(error, null)
          const address = socket.remoteAddress
          if (guard === undefined || address === undefined || guard(address)) return done(null, socket)
          socket.destroy()
          done(addressRefused(hostname, address), null)
        },
      )
      return isSocket(opening) ? opening : undefined
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), null)
      return undefined
    }
  }
}

type Connector = (target: ConnectTarget, done: BuildConnector.Callback) => unknown

function connectorForPort(options: ConnectorOptions, port: number): Connector {
  const { tls = {}, family, timeoutMs } = options
  const lookup = createLookupFunction(options, port)
  let secure: BuildConnector.connector | undefined
  return (target, done) => {
    if (target.protocol !== 'https:') return openPlain({ port, timeoutMs, lookup, family }, target, done)
    secure ??= loadBuildConnector()({
      allowH2: options.allowHttp2 === true,
      preferH2: options.allowHttp2 === true,
      timeout: timeoutMs,
      autoSelectFamily: true,
      lookup,
      rejectUnauthorized: tls.insecure !== true,
      ...(family === undefined ? {} : { family }),
      ...(tls.ca === undefined ? {} : { ca: typeof tls.ca === 'string' ? tls.ca : [...tls.ca] }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    })
    return secure(target, done)
  }
}

function createLookupFunction(options: ConnectorOptions, port: number): LookupFunction {
  return (hostname, { all, family }, done) => {
    void answerLookup()

    async function answerLookup(): Promise<void> {
      let fitting: readonly HostAddress[]
      try {
        const addresses = await resolveHost(options, hostname, port)
        fitting = family === 4 || family === 6 ? addresses.filter((one) => one.family === family) : addresses
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)), '')
        return
      }
      const [first] = fitting
      if (first === undefined) done(new Error(`${hostname} has no address of family ${family}`), '')
      else if (all === true) done(null, [...fitting])
      else done(null, first.address, first.family)
    }
  }
}

/**
 * The addresses of a host that may be connected to, in order.
 *
 * @throws TrawlError ERR_NET_ADDRESS_REFUSED, ERR_NET_CONNECT (no address of the wanted family), or the
 *   resolver's own error
 */
export async function resolveHost(
  options: Pick<ConnectorOptions, 'lookup' | 'overrides' | 'guard' | 'family' | 'localAddress'>,
  hostname: string,
  port: number,
): Promise<readonly HostAddress[]> {
  const given = options.overrides?.find(hostname, port)
  const all = given ?? (await options.lookup(hostname)).addresses
  const { guard } = options
  const allowed = guard === undefined ? all : all.filter(({ address }) => guard(address))
  if (allowed.length === 0 && all[0] !== undefined) throw addressRefused(hostname, all[0].address)
  const families = usableFamilies(options)
  const usable = allowed.filter(({ family }) => families.has(family))
  if (usable.length > 0) return usable
  throw new TrawlError('ERR_NET_CONNECT', `${hostname} has no address of the wanted family`, {
    retry: 'never',
    context: { host: hostname },
  })
}

function usableFamilies(options: Pick<ConnectorOptions, 'family' | 'localAddress'>): ReadonlySet<number> {
  if (options.family !== undefined) return new Set([options.family])
  if (options.localAddress === undefined) return new Set([4, 6])
  // Only one local address can be given before the lookup: the first decides.
  return new Set(
    localAddresses(options.localAddress)
      .slice(0, 1)
      .map(({ family }) => family),
  )
}

function localAddressFor(options: ConnectorOptions, literalFamily: number): string | undefined {
  if (options.localAddress === undefined) return undefined
  const locals = localAddresses(options.localAddress)
  const wanted = literalFamily === 0 ? options.family : literalFamily
  const fitting = wanted === undefined ? locals[0] : locals.find(({ family }) => family === wanted)
  return (fitting ?? locals[0])?.address
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'destroy' in value
}
