import {
  bodyFrom,
  createFaultOrigin,
  faults,
  mapReply,
  respond,
  withFaults,
  type Behaviour,
  type Fault,
} from '../../src/testing/index.ts'
import { defineCorpus } from '../corpus.ts'
import type { FaultyOriginFacts, FaultyOriginOptions } from './faulty-origin.ts'
import { serveForked } from './forked-origin.ts'

/** After so many requests the origin's log is emptied, which would grow with the work. */
const logLimit = 10_000

/** Faults that a client can see and mend by asking again; each with its share of all faults. */
const choices: readonly (readonly [name: string, share: number, fault: Fault])[] = [
  ['reset before the answer', 15, faults.instead(respond.hangUp('rst'))],
  ['closed before the answer', 10, faults.instead(respond.hangUp('fin'))],
  ['reset in the body', 15, faults.cutAfter(1000, 'rst')],
  ['closed in the body', 15, faults.cutAfter(1000, 'fin')],
  ['bad chunk', 5, faults.badChunk(1000)],
  ['length too large', 5, faults.wrongLength(100)],
  ['no HTTP', 5, faults.instead(respond.garbage())],
  ['500', 10, faults.instead(respond.status(500))],
  ['502', 9, faults.instead(respond.status(502))],
  ['late', 5, faults.latency(300)],
  ['stall in the body', 5, faults.stallAfter(1000)],
  ['429', 1, faults.instead(respond.throttle('1'))],
]

const options: FaultyOriginOptions = JSON.parse(process.argv[2] ?? '')
const corpus = defineCorpus(options.corpus)
const given: Record<string, number> = {}
let requests = 0
let active = 0
let everySecond: number[] = []

const file: Behaviour = (request) => {
  const index = Number(/^\/(\d{7})\.bin$/.exec(request.path)?.[1] ?? Number.NaN)
  if (!(index < corpus.count)) return respond.status(404)(request)
  return respond.withRange(bodyFrom(corpus.bytesOf(index)), { etag: `"${index}"` })(request)
}
const counted = (behaviour: Behaviour): Behaviour => {
  const counting = mapReply((reply) => ({ ...reply, onSent: () => void active-- }))(behaviour)
  return (request) => {
    active++
    return counting(request)
  }
}
const good = counted(file)
const faulty = choices.map(([name, share, fault]) => ({
  name,
  share,
  behaviour: counted(withFaults(file, fault)),
}))
const origin = await createFaultOrigin()
origin.route('/*', (request) => {
  requests++
  if (origin.requests.length >= logLimit) origin.reset()
  if (Math.random() >= options.faultShare) return good(request)
  const chosen = choose()
  given[chosen.name] = (given[chosen.name] ?? 0) + 1
  return chosen.behaviour(request)
})
setInterval(() => everySecond.push(active), 1000)
serveForked(origin.url, takeFacts)

function choose(): (typeof faulty)[number] {
  let point = Math.random() * faulty.reduce((sum, { share }) => sum + share, 0)
  const found = faulty.find(({ share }) => (point -= share) < 0) ?? faulty[0]
  if (found === undefined) throw new Error('there are no faults to choose from')
  return found
}

function takeFacts(): FaultyOriginFacts {
  const facts = { requests, faults: { ...given }, everySecond }
  requests = 0
  everySecond = []
  for (const name of Object.keys(given)) delete given[name]
  return facts
}
