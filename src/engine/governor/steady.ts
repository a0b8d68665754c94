import type { HostLoad } from './host-load.ts'
import type { Phase } from './phase.ts'

/** Holds the limit that was found. */
export class Steady implements Phase {
  readonly name = 'steady'
  readonly growTo: number

  constructor(load: HostLoad, nowMs: number) {
    this.growTo = load.limit
    load.openWindow(nowMs)
  }

  progress(): undefined {}
}
