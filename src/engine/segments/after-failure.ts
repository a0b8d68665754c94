import type { TrawlError } from '../../core/index.ts'

export interface FailureView {
  /** Addresses that are in use, this one included. */
  readonly places: number
  /** The whole file was asked for, because there are no ranges. */
  readonly isWhole: boolean
  /** The origin that answered gave bytes of the file before. */
  readonly isKnown: boolean
}

/**
 * What a failed connection means for the file. `fail`: the attempt is over. `whole`: from now on the address is asked
 * for the whole file. `mirror`: it is for the set of mirrors to say whether the address is asked again, and when.
 */
export type AfterFailure = 'fail' | 'whole' | 'mirror'

/** Decides what follows when one connection of a file fails. */
export function afterFailure(error: TrawlError, view: FailureView): AfterFailure {
  if (error.code === 'ERR_CANCELLED' || !(error.scope === 'task' || error.scope === 'host')) return 'fail'
  // Wrong bytes are in the sink: none of it can be trusted. Where only headers disagree, nothing was taken.
  if (error.code === 'ERR_DIGEST_MISMATCH' && error.retry !== 'never') return 'fail'
  // The very origin whose bytes are here has another version now; another mirror may only be out of step.
  if (error.code === 'ERR_ENTITY_CHANGED' && (view.isKnown || view.places === 1)) return 'fail'
  const noRanges = error.code === 'ERR_RANGE_IGNORED' || error.code === 'ERR_RANGE_INVALID'
  if (noRanges && view.places === 1) return view.isWhole ? 'fail' : 'whole'
  return 'mirror'
}
