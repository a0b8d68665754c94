import {
  body,
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
import { serveForked } from './forked-origin.ts'
import type { LimitedOriginFacts, LimitedOriginOptions, OriginSample } from './limited-origin.ts'

const sampleMs = 100

const options: LimitedOriginOptions = JSON.parse(process.argv[2] ?? '')
let refused = 0
let active = 0
let samples: OriginSample[] = []
const origin = await createFaultOrigin(rates(options))
if (options.corpus !== undefined) origin.route('/*', limited(corpusFiles(options.corpus)))
if (options.largeBytes !== undefined) {
  origin.route('/large.bin', limited(respond.withRange(body('large', options.largeBytes))))
}
setInterval(() => {
  samples.push({ atMs: performance.now(), active, sentBytes: origin.sentBytes })
}, sampleMs)
serveForked(origin.url, takeFacts)

function rates(given: LimitedOriginOptions) {
  const { connectionRateBps, totalRateBps } = given
  return {
    ...(connectionRateBps === undefined ? {} : { connectionRateBps }),
    ...(totalRateBps === undefined ? {} : { totalRateBps }),
  }
}

function corpusFiles(corpusOptions: NonNullable<LimitedOriginOptions['corpus']>): Behaviour {
  const corpus = defineCorpus(corpusOptions)
  return (request) => {
    const index = Number(/^\/(\d{7})\.bin$/.exec(request.path)?.[1] ?? Number.NaN)
    if (!(index < corpus.count)) return respond.status(404)(request)
    return respond.withRange(bodyFrom(corpus.bytesOf(index)), { etag: `"${index}"` })(request)
  }
}

function limited(files: Behaviour): Behaviour {
  const { serviceMs, slowAbove, refuseAbove } = options
  const chain: Fault[] = []
  if (slowAbove !== undefined) chain.push(faults.collapsing({ above: slowAbove, serviceMs: serviceMs ?? 0 }))
  else if (serviceMs !== undefined) chain.push(faults.latency(serviceMs))
  if (refuseAbove !== undefined) chain.push(faults.limitActive(refuseAbove))
  return withFaults(files, ...chain, counted)
}

function counted(inner: Behaviour): Behaviour {
  const counting = mapReply((reply) => {
    if (reply.status === 429) refused++
    const { onSent } = reply
    return {
      ...reply,
      onSent: () => {
        active--
        onSent?.()
      },
    }
  })(inner)
  return (request) => {
    active++
    return counting(request)
  }
}

function takeFacts(): LimitedOriginFacts {
  const facts = {
    requests: origin.requests.length,
    refused,
    connections: origin.connections,
    maxActive: origin.maxActive,
    samples,
  }
  origin.reset()
  refused = 0
  samples = []
  return facts
}
