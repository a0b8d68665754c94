import type {
  ConcurrencyOptions,
  ResolvedConfig,
  RetryOptions as RetryGroupOptions,
} from '../config/index.ts'
import {
  createGovernor,
  createRateLimiter,
  retryOptionsOf,
  type Governor,
  type HostMemory,
  type RateLimiter,
  type RetryOptions,
} from '../engine/index.ts'
import { optionsByHost, ownOfHost } from './host-blocks.ts'

/** The limits that all jobs of a session share. */
export interface SharedLimits {
  readonly governor: Governor
  readonly rateLimiter: RateLimiter
  /** A rate limit was set, so that each chunk is charged. */
  readonly limited: boolean
}

/** The limits that a configuration asks for, with those of single hosts. */
export function createSharedLimits(
  config: ResolvedConfig<ConcurrencyOptions>,
  memory: readonly HostMemory[],
): SharedLimits {
  const { values } = config
  const ofHost = optionsByHost(config)
  const perHostRates = ofHost
    ? (host: string) => ownOfHost(ofHost(host), values, ['limitRatePerHostBps', 'limitRatePerItemBps'])
    : undefined
  return {
    governor: createGovernor({
      limits: {
        total: values.mode === 'loop' ? 1 : values.concurrency,
        perHost: values.maxPerHost,
        maxPerHost: values.maxPerHostCeiling,
        requestSpacingMs: values.requestSpacingMs,
      },
      hostLimits: (host) => {
        const own =
          ofHost && ownOfHost(ofHost(host), values, ['maxPerHost', 'maxPerHostCeiling', 'requestSpacingMs'])
        if (!own) return undefined
        const { maxPerHost, maxPerHostCeiling, requestSpacingMs } = own
        return {
          ...(maxPerHost === undefined ? {} : { perHost: maxPerHost }),
          ...(maxPerHostCeiling === undefined ? {} : { maxPerHost: maxPerHostCeiling }),
          ...(requestSpacingMs === undefined ? {} : { requestSpacingMs }),
        }
      },
      memory,
    }),
    rateLimiter: createRateLimiter({
      totalBps: values.limitRateBps || undefined,
      perHostBps: values.limitRatePerHostBps || undefined,
      perItemBps: values.limitRatePerItemBps || undefined,
      ...(perHostRates && limitsRates(config)
        ? {
            hostLimits: (host) => {
              const own = perHostRates(host)
              return own && { perHostBps: own.limitRatePerHostBps, perItemBps: own.limitRatePerItemBps }
            },
          }
        : {}),
    }),
    limited:
      values.limitRateBps + values.limitRatePerHostBps + values.limitRatePerItemBps > 0 ||
      limitsRates(config),
  }
}

/** How tries at single hosts are repeated, where blocks of the configuration say so. */
export function hostRetries(config: ResolvedConfig<RetryGroupOptions>): {
  readonly retryOf?: (host: string) => RetryOptions | undefined
} {
  const ofHost = optionsByHost(config)
  return ofHost ? { retryOf: (host) => retryOptionsOf(ofHost(host)) } : {}
}

function limitsRates({ blocks }: ResolvedConfig<ConcurrencyOptions>): boolean {
  return blocks.some(
    ({ values }) =>
      Object.hasOwn(values, 'limitRatePerHostBps') || Object.hasOwn(values, 'limitRatePerItemBps'),
  )
}
