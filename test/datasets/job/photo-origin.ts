import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'

/** What an origin answers to a path; undefined for 404. */
export type Answers = Readonly<
  Record<string, Uint8Array | ((request: IncomingMessage, response: ServerResponse) => void)>
>

export interface PhotoOrigin {
  readonly url: string
  /** Requests so far, by path. */
  readonly asked: ReadonlyMap<string, number>
}

/** A server on 127.0.0.1 for one test. */
export async function photoOrigin(answers: Answers): Promise<PhotoOrigin> {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.set(path, (asked.get(path) ?? 0) + 1)
    const answer = answers[path]
    if (answer === undefined) response.writeHead(404).end('no such file')
    else if (typeof answer === 'function') answer(request, response)
    else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return { url: `http://127.0.0.1:${address.port}`, asked }
}

/** A JPEG that differs with its number. */
export async function photo(number: number, widthPx = 320, heightPx = 200): Promise<Buffer> {
  const pixels = Buffer.alloc(widthPx * heightPx * 3)
  for (let at = 0; at < pixels.length; at++) pixels[at] = (at * (number + 3) + (at >> 8) * 7) & 0xff
  return sharp(pixels, { raw: { width: widthPx, height: heightPx, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer()
}

/** `/p0.jpg` up to `/pN.jpg`, of several sizes. */
export async function photos(count: number): Promise<Record<string, Buffer>> {
  const all: Record<string, Buffer> = {}
  for (let i = 0; i < count; i++) all[`/p${i}.jpg`] = await photo(i, 200 + (i % 7) * 40, 160 + (i % 5) * 50)
  return all
}
