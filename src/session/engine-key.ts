import type { ConcurrencyOptions, NetworkOptions, ResolvedConfig } from '../config/index.ts'

/** What requests carry by themselves, whatever engine sends them. */
type OfRequest = 'headers' | 'referer'

const network: Readonly<Record<Exclude<keyof NetworkOptions, OfRequest>, true>> = {
  timeoutMs: true,
  connectTimeoutMs: true,
  robots: true,
  maxRedirects: true,
  allowInsecureRedirect: true,
  minSpeedBps: true,
  minSpeedWindowMs: true,
  dnsCacheMs: true,
  userAgent: true,
  cookies: true,
  saveCookies: true,
  proxy: true,
  noProxy: true,
  interface: true,
  resolve: true,
  ipVersion: true,
  http2: true,
  user: true,
  netrc: true,
  netrcFile: true,
  bearerToken: true,
  bearerTokenFile: true,
  caCertificate: true,
  clientCertificate: true,
  clientKey: true,
  insecure: true,
}

/**
 * The same text for all jobs whose requests are made in the same way, so that they share connections and workers; whatever
 * else they differ in, such as their folders.
 */
export function engineKey({
  values,
  blocks,
  fixed,
}: ResolvedConfig<NetworkOptions & Pick<ConcurrencyOptions, 'mode' | 'workers'>>): string {
  // What holds for single hosts is laid together from all of it.
  if (blocks.length > 0) return JSON.stringify([values, blocks, fixed])
  const of = Object.entries(values).filter(([name]) => Object.hasOwn(network, name))
  return JSON.stringify([values.mode, values.workers, Object.fromEntries(of)])
}
