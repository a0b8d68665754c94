export { parseNetrc, type Credentials, type Netrc } from './auth/netrc.ts'
export { createAddressGuard, type AddressGuard } from './connect/address-guard.ts'
export { checkLocalAddress } from './connect/local-address.ts'
export type { TlsOptions } from './connect/connector.ts'
export { createCookieJar, type CookieJar } from './cookies/cookie-jar.ts'
export {
  createTransport,
  type CredentialSettings,
  type DnsOptions,
  type TransportOptions,
} from './create-transport.ts'
export { cookies } from './interceptors/cookies.ts'
export { credentials, type CredentialOptions } from './interceptors/credentials.ts'
export { bearerTokens, originHeaders } from './interceptors/origin-headers.ts'
export { redirects, type RedirectOptions } from './interceptors/redirects.ts'
export { heedRobots, type RobotsOptions } from './robots/heed-robots.ts'
export { robotsPolicy, robotsPolicyOf, type RobotsAnswer, type RobotsPolicy } from './robots/robots-policy.ts'
export { proxyFor, proxySettings, type ProxySettings } from './proxy/proxy-for.ts'
export { decodedBody } from './decoded-body.ts'
export {
  headerValue,
  type ChunkConsumer,
  type Interceptor,
  type ResponseBody,
  type ResponseHeaders,
  type Send,
  type SendOptions,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts'
export { createBaseTransport, type BaseTransportOptions } from './base-transport.ts'
export { defaultUserAgent } from './user-agent.ts'
export * from './headers/index.ts'
