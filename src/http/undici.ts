import { createRequire } from 'node:module'
import type { buildConnector as BuildConnector, Client as ClientClass, Pool as PoolClass } from 'undici'

const require = createRequire(import.meta.url)

/**
 * The three parts of undici that are needed. Its index also loads fetch, WebSocket, caches and mocks, which
 * triples the time to start; where a part has moved, the index is taken all the same. This one opens TLS, and is loaded
 * when it is first wanted.
 */
export function loadBuildConnector(): typeof BuildConnector {
  return load('undici/lib/core/connect.js', 'buildConnector')
}

/** Only for tunnels through HTTP proxies, and so loaded when it is first wanted. */
export function loadClient(): typeof ClientClass {
  return load('undici/lib/dispatcher/client.js', 'Client')
}

/** Only for HTTP/2, and so loaded when it is first wanted. */
export function loadPool(): typeof PoolClass {
  return load('undici/lib/dispatcher/pool.js', 'Pool')
}

function load(part: string, name: string): ReturnType<typeof require> {
  try {
    return require(part)
  } catch {
    return require('undici')[name]
  }
}
