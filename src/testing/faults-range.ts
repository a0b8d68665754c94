import { changeHeaders, mapReply, type Behaviour, type Fault, type Reply } from './behaviour.ts'

interface ContentRange {
  readonly start: number
  readonly end: number
  readonly total: string
}

function contentRange(reply: Reply): ContentRange | undefined {
  const value = reply.headers['Content-Range']
  const match = typeof value === 'string' ? /^bytes (\d+)-(\d+)\/(.*)$/.exec(value) : null
  return match === null
    ? undefined
    : { start: Number(match[1]), end: Number(match[2]), total: match[3] ?? '*' }
}

function changeContentRange(change: (range: ContentRange) => string | undefined): Fault {
  return mapReply((reply) => {
    const range = contentRange(reply)
    return range === undefined ? reply : changeHeaders(reply, { 'Content-Range': change(range) })
  })
}

/** Says a start that is off by so much; the bytes stay those that were asked for. */
function wrongStart(offBytes: number): Fault {
  return changeContentRange(({ start, end, total }) => `bytes ${start + offBytes}-${end + offBytes}/${total}`)
}

/** Says another total length. */
function wrongTotal(total: number): Fault {
  return changeContentRange(({ start, end }) => `bytes ${start}-${end}/${total}`)
}

/** Says `*` for the total length. */
function unknownTotal(): Fault {
  return changeContentRange(({ start, end }) => `bytes ${start}-${end}/*`)
}

/** 206 without Content-Range. */
function noContentRange(): Fault {
  return changeContentRange(() => undefined)
}

/** Content-Range with this text in place of the right one. */
function badContentRange(text: string): Fault {
  return changeContentRange(() => text)
}

/** Gives at most so many bytes of the range that was asked for, and says so. */
function shorterRange(maxBytes: number): Fault {
  return mapReply((reply) => {
    const range = contentRange(reply)
    if (range === undefined || reply.body === undefined || reply.body.sizeBytes <= maxBytes) return reply
    const { body } = reply
    const read = (from: number, to: number): Buffer => body.read(from, Math.min(to, maxBytes))
    const shorter = { ...body, sizeBytes: maxBytes, read, bytes: () => read(0, maxBytes) }
    const value = `bytes ${range.start}-${range.start + maxBytes - 1}/${range.total}`
    return changeHeaders({ ...reply, body: shorter }, { 'Content-Range': value })
  })
}

/** Answers as if no range had been asked for. */
function ignoreRange(inner: Behaviour): Behaviour {
  return (request) => {
    const { range: _range, ...headers } = request.headers
    return inner({ ...request, headers, range: undefined })
  }
}

/** Ignores the range whenever If-Range is there, whatever it says, as some CDNs do. */
function refuseIfRange(inner: Behaviour): Behaviour {
  const whole = ignoreRange(inner)
  return (request) => (request.headers['if-range'] === undefined ? inner : whole)(request)
}

/** Serves the range although If-Range names another version: it never looks. */
function blindIfRange(inner: Behaviour): Behaviour {
  return (request) => {
    const { 'if-range': _condition, ...headers } = request.headers
    return inner({ ...request, headers })
  }
}

/** 416 to every request with a range. */
function alwaysUnsatisfiable(sizeBytes: number): Fault {
  return (inner) => (request) =>
    request.range === undefined
      ? inner(request)
      : { status: 416, headers: { 'Content-Range': `bytes */${sizeBytes}` } }
}

/** Faults of ranges. */
export const rangeFaults = {
  wrongStart,
  wrongTotal,
  unknownTotal,
  noContentRange,
  badContentRange,
  shorterRange,
  ignoreRange,
  refuseIfRange,
  blindIfRange,
  alwaysUnsatisfiable,
} as const
