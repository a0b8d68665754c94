import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { hostOptions, type NetworkOptions, type ResolvedConfig } from '../config/index.ts'
import { TrawlError, type Clock } from '../core/index.ts'
import {
  createCookieJar,
  type CookieJar,
  type ProxySettings,
  type TlsOptions,
  type TransportOptions,
} from '../http/index.ts'
import { storageReason } from '../storage/index.ts'
import { checkNetwork } from './check-network.ts'
import { hostPatterns } from './host-blocks.ts'

/** What the caller knows of its surroundings; the library itself reads no environment. */
export interface Surroundings {
  /** Proxies of the environment, used where no proxy is set. */
  readonly proxies?: ProxySettings
  /** The clock that schedules go by; the system's when absent. */
  readonly clock?: Clock
  /** Told of what is not used or kept, such as a state database that cannot be opened. */
  readonly onNotice?: (message: string) => void
}

/**
 * The transport's options for a job, with those of hosts that have blocks in the configuration. Reads the files that they
 * name. Throws ERR_CONFIG_UNREADABLE, naming option and file, and what `checkNetwork` finds.
 */
export async function transportOptionsOf(
  config: ResolvedConfig<NetworkOptions>,
  surroundings: Surroundings,
): Promise<TransportOptions> {
  const everywhere = await transportOptions(config.values, surroundings)
  await checkNetwork(config.values, everywhere.tls)
  const { cookies: _cookies, ...plain } = everywhere
  const hosts: NonNullable<TransportOptions['hosts']>[number][] = []
  for (const { pattern, example } of hostPatterns(config)) {
    // The jar is that of all; it is not read again for each host.
    const { cookies: _file, saveCookies: _save, ...own } = hostOptions(config, example)
    const options = await transportOptions(own, surroundings)
    if (hosts.length > 0 || !isDeepStrictEqual(options, plain)) hosts.push({ pattern, options })
  }
  return hosts.length === 0 ? everywhere : { ...everywhere, hosts }
}

/**
 * The transport's options for the network options of a job. Reads the files that they name. Throws
 * ERR_CONFIG_UNREADABLE, naming option and file.
 */
async function transportOptions(
  network: NetworkOptions,
  surroundings: Surroundings,
): Promise<TransportOptions> {
  const tls = await tlsOptions(network)
  const jar = await cookieJar(network)
  const netrc = await netrcText(network)
  const token = await bearerToken(network)
  const user = network.user === undefined ? undefined : splitUser(network.user)
  const proxy = proxyOf(network, surroundings)
  return {
    timeoutMs: network.timeoutMs,
    connectTimeoutMs: network.connectTimeoutMs,
    http2: network.http2,
    tls,
    dns: { ttlMs: network.dnsCacheMs, overrides: network.resolve ?? [] },
    redirects: { max: network.maxRedirects, allowDowngrade: network.allowInsecureRedirect },
    ...(network.robots === 'on' ? { heedRobots: true } : {}),
    ...(network.userAgent === undefined ? {} : { userAgent: network.userAgent }),
    ...(network.interface === undefined ? {} : { localAddress: network.interface }),
    ...(network.ipVersion === 'auto' ? {} : { family: network.ipVersion === '4' ? 4 : 6 }),
    ...(proxy ? { proxy } : {}),
    ...(jar ? { cookies: jar } : {}),
    ...(netrc === undefined && user === undefined
      ? {}
      : {
          credentials: {
            ...(netrc === undefined ? {} : { netrc }),
            ...(user === undefined ? {} : { byOrigin: { '*': user } }),
          },
        }),
    ...(token === undefined ? {} : { bearerTokens: { '*': token } }),
  }
}

function proxyOf(network: NetworkOptions, { proxies }: Surroundings): ProxySettings | undefined {
  const noProxy = network.noProxy?.join(',') ?? proxies?.noProxy
  const own = network.proxy === undefined ? proxies : { all: network.proxy }
  if (own === undefined || Object.keys(own).every((key) => key === 'noProxy')) return undefined
  return { ...own, ...(noProxy === undefined ? {} : { noProxy }) }
}

async function tlsOptions(network: NetworkOptions): Promise<TlsOptions> {
  const { caCertificate, clientCertificate, clientKey, insecure } = network
  const cert =
    clientCertificate === undefined ? undefined : await readText(clientCertificate, '--client-certificate')
  const key = clientKey === undefined ? cert : await readText(clientKey, '--client-key')
  return {
    insecure,
    ...(caCertificate === undefined ? {} : { ca: await readText(caCertificate, '--ca-certificate') }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

async function cookieJar(network: NetworkOptions): Promise<CookieJar | undefined> {
  if (network.cookies === undefined && network.saveCookies === undefined) return undefined
  const jar = await createCookieJar()
  if (network.cookies !== undefined) jar.load(await readText(network.cookies, '--cookies'), network.cookies)
  return jar
}

async function bearerToken(network: NetworkOptions): Promise<string | undefined> {
  if (network.bearerTokenFile === undefined) return network.bearerToken
  return (await readText(network.bearerTokenFile, '--bearer-token-file')).trim()
}

async function netrcText({ netrc, netrcFile }: NetworkOptions): Promise<string | undefined> {
  if (netrcFile !== undefined) return readText(netrcFile, '--netrc-file')
  return netrc ? readText(join(homedir(), '.netrc'), '--netrc') : undefined
}

function splitUser(text: string): { readonly username: string; readonly password: string } {
  const colon = text.indexOf(':')
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

async function readText(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new TrawlError('ERR_CONFIG_UNREADABLE', `${option}: cannot read ${path}: ${storageReason(error)}`, {
      hint: 'Check that the path exists and that you may read it.',
      cause: error,
      context: { file: path },
    })
  }
}
