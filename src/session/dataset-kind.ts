import type { DatasetCommandOptions, ResolvedConfig } from '../config/index.ts'
import type { JobKind } from '../core/index.ts'
import {
  createDatasetKind,
  gateByMemory,
  HostPatience,
  randomDelay,
  type DatasetEngine,
  type DatasetSettings,
  type DatasetSpec,
} from '../datasets/index.ts'
import { ByteBudget, createEngine } from '../engine/index.ts'
import {
  createTransport,
  defaultUserAgent,
  heedRobots,
  redirects,
  type Interceptor,
  type Transport,
  type TransportOptions,
} from '../http/index.ts'
import { hostRetries, type SharedLimits } from './shared-limits.ts'
import { transportOptionsOf, type Surroundings } from './transport-options.ts'

/** Bodies that may be in memory at once, waiting for their image work included. */
const bodyMemoryBytes = 96 * 1024 * 1024

interface Given {
  readonly limits: SharedLimits
  readonly surroundings: Surroundings
}

/** The dataset job with an engine of its own. */
export function createWiredDatasetKind(
  config: ResolvedConfig<DatasetCommandOptions>,
  given: Given,
): JobKind<DatasetSpec> {
  return createDatasetKind({ openEngine: (settings) => openEngine(config, settings, given) })
}

/**
 * An engine for a dataset: requests go by robots.txt and pause as asked, names are resolved for thousands of hosts, and
 * nothing new starts while bodies wait for their image work. Throws ERR_CONFIG_UNREADABLE.
 */
async function openEngine(
  config: ResolvedConfig<DatasetCommandOptions>,
  settings: DatasetSettings,
  given: Given,
): Promise<DatasetEngine> {
  const { values } = config
  const userAgent = userAgentOf(values, settings)
  const network = await transportOptionsOf(config, given.surroundings)
  const { redirects: hops } = network
  // Redirects stand above robots.txt, so that every hop is looked at.
  const polished = ({ heedRobots: _ownWay, ...options }: TransportOptions): TransportOptions => ({
    ...options,
    userAgent,
    dns: { ...options.dns, mode: 'direct' },
    redirects: { max: 0 },
  })
  const hosts = (network.hosts ?? []).map(({ pattern, options }) => ({ pattern, options: polished(options) }))
  const base = createTransport({ ...polished(network), hosts })
  const follow = redirects(hops)
  const polite: Interceptor[] = []
  if (settings.robots !== 'off') {
    polite.push(heedRobots({ userAgent: settings.userAgentToken ?? userAgent, followRedirects: follow }))
  }
  if (values.delay !== undefined) polite.push(randomDelay(values.delay))
  const patience = new HostPatience({ patienceMs: values.hostPatienceMs })
  const transport: Transport = {
    send: [...polite, follow, patience.intercept].reduce((next, intercept) => intercept(next), base.send),
    close: () => base.close(),
    destroy: () => base.destroy(),
    closeIdle: () => base.closeIdle(),
  }
  const budget = new ByteBudget(bodyMemoryBytes)
  const engine = createEngine({
    transport,
    governor: gateByMemory(patience.gate(given.limits.governor), budget),
    rateLimiter: given.limits.rateLimiter,
    limited: given.limits.limited,
    mode: values.mode === 'loop' ? 'loop' : 'async',
    ...hostRetries(config),
  })
  return { engine, budget, close: () => engine.close() }
}

function userAgentOf(values: DatasetCommandOptions, { userAgentToken }: DatasetSettings): string {
  const own = values.userAgent ?? defaultUserAgent
  return userAgentToken === undefined ? own : `${own} (compatible; ${userAgentToken})`
}
