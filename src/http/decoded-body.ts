import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { Transform } from 'node:stream'
import { TrawlError } from '../core/index.ts'
import type { ChunkConsumer, ResponseBody } from './transport.ts'

const decoders: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
])

/**
 * A body without its content coding (RFC 9110, 8.4.1); undefined for a coding that is not known, or several. Draining
 * rejects with ERR_HTTP_ENCODED too, where the body is not sound.
 */
export function decodedBody(body: ResponseBody, coding: string): ResponseBody | undefined {
  const create = decoders.get(coding)
  return create && new DecodedBody(body, coding, create())
}

class DecodedBody implements ResponseBody {
  readonly #body: ResponseBody
  readonly #coding: string
  readonly #decoder: Transform

  constructor(body: ResponseBody, coding: string, decoder: Transform) {
    this.#body = body
    this.#coding = coding
    this.#decoder = decoder
    decoder.on('error', () => {})
  }

  drain(consume: ChunkConsumer): Promise<'end' | 'stopped'> {
    const decoder = this.#decoder
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        reject(error instanceof Error ? error : new Error(String(error)))
        this.cancel()
      }
      const go = (answer: false | void): void => {
        if (answer !== false) return void decoder.resume()
        resolve('stopped')
        this.cancel()
      }
      decoder.on('data', (chunk: Buffer) => {
        try {
          const answer = consume(chunk)
          if (answer === undefined) return
          decoder.pause()
          if (answer === false) go(answer)
          else answer.then(go, fail)
        } catch (error) {
          fail(error)
        }
      })
      decoder.once('end', () => resolve('end'))
      decoder.once('error', (cause) => fail(this.#unsound(cause)))
      let isEmpty = true
      const feed = (chunk: Buffer): void | false | Promise<void> => {
        isEmpty = false
        if (decoder.destroyed) return false
        return decoder.write(chunk) ? undefined : this.#taken()
      }
      this.#body.drain(feed).then((how) => {
        if (how === 'stopped' || isEmpty) {
          resolve(how)
          decoder.destroy()
        } else decoder.end()
      }, fail)
    })
  }

  cancel(): void {
    this.#decoder.destroy()
    this.#body.cancel()
  }

  /** When the decoder has taken what it was given, or will not any more. */
  #taken(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#decoder.off('drain', done).off('close', done)
        resolve()
      }
      this.#decoder.on('drain', done).on('close', done)
    })
  }

  #unsound(cause: Error): TrawlError {
    return new TrawlError('ERR_HTTP_ENCODED', `the body is no sound ${this.#coding}: ${cause.message}`, {
      cause,
      // It may have been broken on the way.
      retry: 'backoff',
      hint: 'Nothing to do: trawl tries again. Nothing wrong was kept.',
    })
  }
}
