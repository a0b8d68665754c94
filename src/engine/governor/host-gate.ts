import type { HostController } from './host-controller.ts'
import type { HostLimits } from './governor.ts'

/** One host as the governor keeps it: its controller, and what holds requests back beside the limit. */
export class HostGate {
  readonly host: string
  readonly controller: HostController
  limits: HostLimits
  pausedUntilMs = 0
  /** A pause was announced and its end was not. */
  paused = false
  /** No request starts before. */
  nextStartMs = 0
  /** Requests at once that a budget source has granted. */
  granted = 0
  /** Somebody was refused and waits to hear of this host. */
  waiting = false

  constructor(host: string, controller: HostController, limits: HostLimits) {
    this.host = host
    this.controller = controller
    this.limits = limits
  }

  /** Nothing would be lost by forgetting this host. */
  idle(nowMs: number): boolean {
    return (
      this.controller.inflight === 0 &&
      this.granted === 0 &&
      this.pausedUntilMs <= nowMs &&
      this.nextStartMs <= nowMs
    )
  }
}
