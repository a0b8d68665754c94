/** Why a limit stands where it stands, in words for events and logs. */
export type PhaseName = 'fixed' | 'slow-start' | 'refine' | 'steady' | 'recovery'

/** One state of a host's controller. A phase sets `HostLoad.limit` and says how far progress may raise it. */
export interface Phase {
  readonly name: PhaseName
  /** Each finished request and each chunk may raise the limit by one up to here, while the caller wants more. */
  readonly growTo: number
  /** Called after every finished request and chunk; gives the next phase, or undefined to stay. */
  progress(nowMs: number): Phase | undefined
}
