import { headerFault } from '../../core/index.ts'
import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { choice, duration, integer, list, path, pattern, rate, text, toggle } from '../kinds.ts'
import { headerMap } from '../special-kinds.ts'

const proxyUrl = pattern(
  'URL',
  /^((https?|socks(4a?|5h?)?):\/\/)?[^\s/?#]+\/?$/i,
  'a URL such as http://proxy.example:3128 or socks5://127.0.0.1:1080',
)

function limitFields() {
  return {
    timeoutMs: field(duration, {
      description: 'Longest wait for an answer and between two pieces of a body.',
      default: 30_000,
      scope: 'host',
    }),
    connectTimeoutMs: field(duration, {
      description: 'Longest wait for a connection, TLS included.',
      default: 10_000,
      scope: 'host',
    }),
    robots: field(choice(['auto', 'on', 'off']), {
      description: 'Heed robots.txt, and refuse what it disallows; auto does so for datasets.',
      default: 'auto',
    }),
    maxRedirects: field(integer({ min: 0, max: 100 }), {
      description: 'Redirects to follow for one request.',
      default: 20,
      scope: 'host',
    }),
    allowInsecureRedirect: field(toggle, {
      description: 'Follow redirects from https: to http:.',
      default: false,
      scope: 'host',
    }),
    minSpeedBps: field(rate, {
      description: 'A transfer slower than this over --min-speed-window counts as stalled; 0 is off.',
      default: 0,
      scope: 'host',
    }),
    minSpeedWindowMs: field(duration, {
      description: 'Time over which --min-speed is measured.',
      default: 30_000,
      scope: 'host',
    }),
    dnsCacheMs: field(duration, {
      description:
        'Remember addresses of hosts this long, where the resolver does not say how long; 0 is off.',
      default: 60_000,
    }),
  }
}

function identityFields() {
  return {
    headers: field(headerMap, {
      description:
        'Header to send with every request; may be repeated. An empty value takes back one of a configuration file.',
      default: {},
      flag: '--header',
      scope: 'host',
    }),
    referer: field(text('URL'), {
      description: 'Referer header.',
      scope: 'host',
    }),
    userAgent: field(text('TEXT'), {
      description: 'User-Agent header.',
      unset: 'trawl and its version',
      scope: 'host',
    }),
    cookies: field(path('FILE'), {
      description: 'Cookies to send, from a Netscape cookie file.',
    }),
    saveCookies: field(path('FILE'), {
      description: 'Write the cookies of the run to this file at its end.',
    }),
  }
}

function routeFields() {
  return {
    proxy: field(proxyUrl, {
      description: 'Proxy for all requests: http:, https:, socks5: or socks4:.',
      unset: 'the *_proxy environment variables',
      scope: 'host',
    }),
    noProxy: field(list(text('HOSTS', 'a host such as example.org or .example.org'), { separator: ',' }), {
      description: 'Hosts that are asked without the proxy.',
      flag: '--noproxy',
      unset: 'the no_proxy environment variable',
    }),
    interface: field(text('NAME|ADDRESS'), {
      description: 'Network interface or local address to send from.',
    }),
    resolve: field(
      list(
        pattern(
          'HOST:PORT:ADDR',
          /^[^:\s]+:(\d{1,5}|\*):\[?[\da-f.:]+\]?(,\[?[\da-f.:]+\]?)*$/i,
          'host, port and address, such as example.org:443:192.0.2.1',
        ),
      ),
      { description: 'Use this address for a host and port; may be repeated.', default: [] },
    ),
    ipVersion: field(choice(['4', '6', 'auto']), {
      description: 'Internet protocol to use.',
      default: 'auto',
    }),
    http2: field(choice(['off', 'auto']), {
      description: 'HTTP/2 where the server has it. One connection is then shared, which is seldom faster.',
      default: 'off',
      scope: 'host',
    }),
  }
}

function credentialFields() {
  return {
    user: field(
      pattern('NAME:PASSWORD', /^[^:]+:[\s\S]*$/, 'a name and a password with a colon between them'),
      {
        description: 'Name and password for servers that ask. Others can see arguments: --netrc is safer.',
        scope: 'host',
        secret: true,
      },
    ),
    netrc: field(toggle, {
      description: 'Take names and passwords from ~/.netrc, or from --netrc-file.',
      default: false,
    }),
    netrcFile: field(path('FILE'), { description: 'A netrc file; implies --netrc.' }),
    bearerToken: field(text('TOKEN'), {
      description: 'Token for the Authorization header. There is no flag: others could see it.',
      flag: false,
      scope: 'host',
      secret: true,
    }),
    bearerTokenFile: field(path('FILE'), {
      description: 'File with a token for the Authorization header.',
      scope: 'host',
    }),
    caCertificate: field(path('FILE'), {
      description: 'Certificate authorities to trust instead of the built-in ones, in PEM form.',
    }),
    clientCertificate: field(path('FILE'), { description: 'Certificate to show to servers, in PEM form.' }),
    clientKey: field(path('FILE'), {
      description: 'Key of --client-certificate, in PEM form.',
      unset: 'the key in the certificate file',
    }),
    insecure: field(toggle, {
      description: 'Do not check TLS certificates. Anyone on the way can then read and change what is sent.',
      default: false,
      scope: 'host',
    }),
  }
}

/** How requests are made. */
export const networkGroup = defineGroup({
  name: 'network',
  title: 'Network',
  about: 'How requests are made: time limits, headers, proxies, certificates.',
  fields: () => ({ ...limitFields(), ...identityFields(), ...routeFields(), ...credentialFields() }),
  check(values) {
    if (values.clientKey !== undefined && values.clientCertificate === undefined) {
      return { name: 'clientKey', message: 'needs a client certificate too' }
    }
    for (const [name, header] of [
      ['referer', 'referer'],
      ['userAgent', 'user-agent'],
    ] as const) {
      const fault = headerFault(header, values[name] ?? '')
      if (fault !== undefined) return { name, message: fault }
    }
    if (values.bearerToken !== undefined && values.bearerTokenFile !== undefined) {
      return { name: 'bearerToken', message: 'cannot stand together with bearerTokenFile' }
    }
    return undefined
  },
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type NetworkOptions = OptionsOf<typeof networkGroup>
