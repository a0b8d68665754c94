import type { Body } from './body.ts'

/** A request as the origin received it. */
export interface OriginRequest {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Path and query as sent. */
  readonly target: string
  /** Names in lower case; repeated fields joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly range: string | undefined
  readonly body: Buffer
  /** 1 for the first request to this route. */
  readonly count: number
  /** Number of the connection, from 1. */
  readonly connection: number
  /** The origin's own URL, without a slash at the end. */
  readonly origin: string
  /** Requests that the origin is answering now, this one included. */
  readonly active: number
  /** Milliseconds since the origin started. */
  readonly atMs: number
}

/** How the end of the body is told. `both` is Content-Length together with chunked, which no server may send. */
export type Framing = 'length' | 'chunked' | 'close' | 'both'

/** What happens in place of the rest of the body: a clean close, a reset, silence, or a line that is no chunk. */
export type Cut = 'fin' | 'rst' | 'stall' | 'bad-chunk'

/** What the origin sends, faults included. Behaviours make it and wrappers change it. */
export interface Reply {
  readonly status: number
  /** Names as they go over the line. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Body
  readonly framing?: Framing
  readonly latencyMs?: number
  /** Stops after this many bytes of the body. */
  readonly cut?: { readonly afterBytes: number; readonly how: Cut }
  /** Bytes sent after the end of the body. */
  readonly surplus?: Uint8Array
  readonly rateBps?: number
  /** Sent as it stands in place of an HTTP response; the connection is closed after it. */
  readonly raw?: Uint8Array
  /** In place of any answer, the connection is closed in this way. */
  readonly hangUp?: 'fin' | 'rst'
  /** Called when nothing more will be sent, however it ended. */
  readonly onSent?: () => void
}

/** Decides how the origin answers a request. */
export type Behaviour = (request: OriginRequest) => Reply | Promise<Reply>

/** Changes what another behaviour answers. */
export type Fault = (inner: Behaviour) => Behaviour

/** A behaviour changed by several faults, the first one innermost. */
export function withFaults(inner: Behaviour, ...faults: readonly Fault[]): Behaviour {
  return faults.reduce((behaviour, fault) => fault(behaviour), inner)
}

/** A fault that maps the reply, with the request at hand. */
export function mapReply(change: (reply: Reply, request: OriginRequest) => Reply): Fault {
  return (inner) => async (request) => change(await inner(request), request)
}

/** A reply with headers set, or removed where the value is undefined; names compare without case. */
export function changeHeaders(reply: Reply, changes: Readonly<Record<string, string | undefined>>): Reply {
  const headers: Record<string, string | readonly string[]> = { ...reply.headers }
  for (const [name, value] of Object.entries(changes)) {
    for (const present of Object.keys(headers)) {
      if (present.toLowerCase() === name.toLowerCase()) delete headers[present]
    }
    if (value !== undefined) headers[name] = value
  }
  return { ...reply, headers }
}
