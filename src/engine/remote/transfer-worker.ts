/** What a worker of the modes `threads` and `processes` runs. An entry of its own; nothing imports it. */
import { setFlagsFromString } from 'node:v8'
import { isMainThread } from 'node:worker_threads'
import { formats, systemClock, toTrawlError, TrawlError } from '../../core/index.ts'
import { createCookieJar, createTransport, type CookieJar, type Transport } from '../../http/index.ts'
import { Volume } from '../../storage/index.ts'
import { fromWireError, openWorkerPort, Outbox, toWireError } from '../../workers/index.ts'
import { createLocalExecutor, type LocalExecutor } from '../transfer/local-executor.ts'
import type { MinSpeed } from '../segments/speed-floor.ts'
import { OrderAtWork } from './order-at-work.ts'
import type { FromWorker, Greeting, ToWorker, WireOrder } from './protocol.ts'

const tellEveryMs = 50

// As bin/trawl.mjs does for its own process, of which threads are a part (docs/adr/0001-young-generation.md).
if (isMainThread) setFlagsFromString('--semi-space-growth-factor=1')

const abort = new AbortController()
const orders = new Map<number, OrderAtWork>()
/** By host, of those that have one. */
const minSpeeds = new Map<string, MinSpeed>()
/** Items that came before the worker was ready. */
let early: Exclude<ToWorker, Greeting>[] | undefined = []
let tools:
  | {
      readonly transport: Transport
      readonly executor: LocalExecutor
      readonly jar: CookieJar | undefined
      readonly volume: Volume
      readonly partsFolder: string
    }
  | undefined

const port = openWorkerPort({
  onMessage: (items) => {
    for (const item of items as readonly ToWorker[]) take(item)
  },
  onClose: () => void close(),
})
const outbox = new Outbox<FromWorker>((items) => port.post(items))
const post = (item: FromWorker): void => outbox.add(item)
const timer = setInterval(() => {
  for (const each of orders.values()) each.tellProgress()
}, tellEveryMs)

function take(item: ToWorker): void {
  if (item.type === 'greeting') void begin(item)
  else if (early) early.push(item)
  else act(item)
}

async function begin(greeting: Greeting): Promise<void> {
  try {
    if (greeting.version !== formats.workerMessages) {
      throw new TrawlError('ERR_FORMAT_NEWER', 'the coordinator is of another version of trawl')
    }
    const jar = greeting.cookies === undefined ? undefined : await createCookieJar()
    jar?.load(greeting.cookies ?? '')
    const cookies = jar && tellingJar(jar)
    const transport = createTransport({ ...greeting.transport, ...(cookies ? { cookies } : {}) })
    const executor = createLocalExecutor({
      transport,
      clock: systemClock,
      minSpeedOf: (host) => minSpeeds.get(host),
      signal: abort.signal,
    })
    const { partsFolder, durability } = greeting
    tools = { transport, executor, jar, partsFolder, volume: new Volume({ durability }) }
    post({ type: 'ready', version: formats.workerMessages })
    const waiting = early ?? []
    early = undefined
    for (const item of waiting) act(item)
  } catch (error) {
    post({ type: 'unfit', error: toWireError(toTrawlError(error)) })
  }
}

/** A jar that tells the coordinator what servers set. */
function tellingJar(jar: CookieJar): CookieJar {
  return {
    ...jar,
    store(url, set) {
      jar.store(url, set)
      post({ type: 'cookies', url, set: [...set] })
    },
  }
}

function act(item: Exclude<ToWorker, Greeting>): void {
  switch (item.type) {
    case 'order':
      return start(item)
    case 'verdict':
      return orders.get(item.id)?.decided(item.verdict)
    case 'grant':
      // The coordinator takes the leases of an order back at its end.
      return orders.get(item.id)?.granted(item.lease, item.host)
    case 'split': {
      const order = orders.get(item.id)?.order
      if (order) order.split = item.split
      return
    }
    case 'stop':
      return orders.get(item.id)?.stop(fromWireError(item.error))
    case 'limited':
      return orders.get(item.id)?.limit()
    case 'go':
      return orders.get(item.id)?.go()
    case 'cookies':
      return tools?.jar?.store(item.url, item.set)
    default:
      abort.abort(new TrawlError('ERR_CANCELLED', 'the run was cancelled'))
      for (const order of orders.values()) order.abort()
  }
}

function start(wire: WireOrder): void {
  if (!tools) return
  const { executor, volume, partsFolder } = tools
  const work = new OrderAtWork({ wire, volume, post, partPath: `${partsFolder}/${wire.task.id}` })
  orders.set(wire.id, work)
  if (wire.minSpeed) minSpeeds.set(wire.host, wire.minSpeed)
  void executor
    .execute(work.order, work.lease, work)
    .then((result) => work.end(result))
    .then(() => orders.delete(wire.id))
}

async function close(): Promise<void> {
  clearInterval(timer)
  await tools?.transport.destroy()
  outbox.flush()
  port.close()
}
