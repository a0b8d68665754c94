import { createServer } from 'node:net'

/** A server that a benchmark started. */
export interface Origin {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** A port of 127.0.0.1 that nothing listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port)
        else reject(new Error('the system gave no port'))
      })
    })
  })
}
