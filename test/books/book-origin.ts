import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll } from 'vitest'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A web server on this machine whose answers tests set by path. */
export interface BookOrigin {
  readonly url: string
  /** Paths asked for since the test began, in order. */
  readonly requests: string[]
  /** Bytes, a text, or a function, under a path. */
  set(path: string, answer: Buffer | string | Answer): void
}

/** Starts the server before the tests of a file; answers and requests are forgotten after each test. */
export function useBookOrigin(): BookOrigin {
  const answers = new Map<string, Buffer | string | Answer>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURI(request.url ?? '/')
    requests.push(path)
    const answer = answers.get(path)
    if (answer === undefined) response.writeHead(404).end('not found')
    else if (typeof answer === 'function') answer(request, response)
    else {
      const type = /\.html?$|\/$/.test(path)
        ? 'text/html'
        : path.endsWith('.json')
          ? 'application/json'
          : 'image/jpeg'
      response
        .writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(answer) })
        .end(answer)
    }
  })
  let url = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    answers.clear()
    requests.length = 0
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    get url() {
      return url
    },
    requests,
    set: (path, answer) => void answers.set(path, answer),
  }
}

/** A small JPEG page, another one for each number. */
export function jpegPage(number: number, size = { width: 120, height: 180 }): Promise<Buffer> {
  const background = { r: (number * 37) % 256, g: (number * 91) % 256, b: 128 }
  return sharp({ create: { ...size, channels: 3, background } })
    .jpeg()
    .toBuffer()
}

/** Sets pages `/p1.jpg` and so on; gives their bytes and a list of their addresses as an input. */
export async function setPages(
  origin: BookOrigin,
  count: number,
): Promise<{
  readonly pages: readonly Buffer[]
  readonly list: { readonly text: string; readonly source: string }
}> {
  const pages = await Promise.all(Array.from({ length: count }, (_, i) => jpegPage(i + 1)))
  for (const [i, page] of pages.entries()) origin.set(`/p${i + 1}.jpg`, page)
  const text = pages.map((_, i) => `${origin.url}/p${i + 1}.jpg\n`).join('')
  return { pages, list: { text, source: 'image-list' } }
}
