import { formatSize } from '../../core/index.ts'
import { payoffMs } from './choose-split.ts'
import { mebibyte } from './plan-view.ts'

/** What is known of a file and the way to it; what is missing is not known yet. */
export interface TransferProfile {
  readonly sizeBytes?: number
  /** The server gives parts of files: what Accept-Ranges says. */
  readonly ranges?: boolean
  /** Addresses with the same bytes. Default 1. */
  readonly sources?: number
  /** Bytes a second that one connection brings. */
  readonly connectionBps?: number
  /** Bytes a second that all connections together can bring. */
  readonly lineBps?: number
  /** From a request to its answer. */
  readonly waitMs?: number
  /** Connections that the host allows. Default 256. */
  readonly maxConnections?: number
  /** Segments that the user wants, as with `--split`. Default auto. */
  readonly split?: number | 'auto'
}

/** How a file will be fetched. */
export interface TransferPlan {
  /** One connection; several to one address; or several to several addresses. */
  readonly style: 'single' | 'segmented' | 'multi-source'
  /** Connections at once; where rates are not known yet, the most that the size allows. */
  readonly segments: number
  /** How many times as fast as one connection; undefined while rates are not known. */
  readonly gain?: number
  readonly expectedMs?: number
  /** One sentence for people. */
  readonly why: string
}

const defaultMostConnections = 256
/** Connections that a host gets before anything is known of it. */
const firstConnections = 8
/** A connection that is at work for less than this was not worth opening. */
const leastWorkMs = 250

/**
 * Says how a file of this profile is fetched, and why: the rules by which transfers split files while they run, put
 * to what is known beforehand. Pure; asks nobody.
 */
export function planTransfer(profile: TransferProfile): TransferPlan {
  const { sizeBytes, ranges, connectionBps } = profile
  const asked = profile.split === undefined || profile.split === 'auto' ? undefined : profile.split
  const oneMs = sizeBytes === undefined || !connectionBps ? undefined : timeOf(profile, sizeBytes, 1)
  const single = (why: string): TransferPlan => ({
    style: 'single',
    segments: 1,
    gain: 1,
    ...(oneMs === undefined ? {} : { expectedMs: oneMs }),
    why,
  })
  if (ranges === false) return single('The server does not give parts of files.')
  if (asked === 1) return single('One segment was asked for.')
  if (sizeBytes === undefined && asked !== undefined) {
    return several(
      profile,
      asked,
      `${asked} segments were asked for; the answer tells whether the size allows them.`,
    )
  }
  if (sizeBytes === undefined) {
    return single('The size is not known: one connection begins, and its answer tells whether more pay.')
  }
  if (sizeBytes < mebibyte) return single(`At ${formatSize(sizeBytes)} a second connection would not pay.`)
  const most = mostSegments(profile, sizeBytes)
  if (asked !== undefined) {
    const segments = Math.min(asked, most)
    const why = segments < asked ? `${asked} segments were asked for, the size allows ${segments}.` : ''
    return several(profile, segments, why || `${asked} segments were asked for.`)
  }
  if (oneMs === undefined) {
    const segments = Math.min(most, firstConnections)
    const why = `One connection begins; at ${formatSize(sizeBytes)}, up to ${segments} follow as soon as its rate shows that they pay.`
    return several(profile, segments, why)
  }
  if (oneMs <= payoffMs) {
    return single(`One connection brings ${formatSize(sizeBytes)} in ${seconds(oneMs)}: too soon to split.`)
  }
  return fewest(profile, { sizeBytes, most, oneMs })
}

function mostSegments({ maxConnections }: TransferProfile, sizeBytes: number): number {
  return Math.max(1, Math.min(maxConnections ?? defaultMostConnections, Math.floor(sizeBytes / mebibyte)))
}

/** The fewest connections that are nearly as fast as the best number of them. */
function fewest(
  profile: TransferProfile,
  { sizeBytes, most, oneMs }: { readonly sizeBytes: number; readonly most: number; readonly oneMs: number },
): TransferPlan {
  const leastMs = Math.max(leastWorkMs, 4 * (profile.waitMs ?? 0))
  const useful = Math.max(1, Math.min(most, Math.floor(oneMs / leastMs)))
  const bestMs = timeOf(profile, sizeBytes, useful)
  let segments = 1
  while (segments < useful && timeOf(profile, sizeBytes, segments) > bestMs * 1.05) segments++
  if (segments === 1) {
    const why = 'One connection fills the line.'
    return { style: 'single', segments: 1, gain: 1, expectedMs: oneMs, why }
  }
  const ms = timeOf(profile, sizeBytes, segments)
  return several(
    profile,
    segments,
    `One connection would take ${seconds(oneMs)}, ${segments} take ${seconds(ms)}.`,
  )
}

function several(profile: TransferProfile, segments: number, why: string): TransferPlan {
  const { sizeBytes, connectionBps, sources = 1 } = profile
  const style = segments === 1 ? 'single' : sources > 1 ? 'multi-source' : 'segmented'
  const told = style === 'multi-source' ? `${why} They are spread over ${sources} addresses.` : why
  if (sizeBytes === undefined || !connectionBps) return { style, segments, why: told }
  const expectedMs = timeOf(profile, sizeBytes, segments)
  const gain = timeOf(profile, sizeBytes, 1) / expectedMs
  return { style, segments, gain: Math.round(gain * 100) / 100, expectedMs, why: told }
}

function timeOf(
  { connectionBps = 0, lineBps, waitMs = 0 }: TransferProfile,
  size: number,
  count: number,
): number {
  const rate = Math.min(count * connectionBps, lineBps ?? Number.POSITIVE_INFINITY)
  return Math.round(waitMs * (count > 1 ? 2 : 1) + (size * 1000) / rate)
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}
