/** One request, read from a connection. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const headEnd = Buffer.from('\r\n\r\n')

/** Cuts the bytes of a connection into requests. Understands what test clients send: lengths, not chunked bodies. */
export class RequestReader {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
  }

  /** The next whole request, or undefined until more bytes come. */
  next(): RawRequest | undefined {
    const end = this.#rest.indexOf(headEnd)
    if (end === -1) return undefined
    const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n')
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
    }
    const bodyStart = end + headEnd.length
    const bodyEnd = bodyStart + Number(headers['content-length'] ?? 0)
    if (this.#rest.length < bodyEnd) return undefined
    const body = this.#rest.subarray(bodyStart, bodyEnd)
    this.#rest = this.#rest.subarray(bodyEnd)
    const [method = '', target = ''] = first.split(' ')
    return { method, target, headers, body }
  }
}
