import type { ByteBudget, Governor } from '../../engine/index.ts'

/**
 * A governor that starts nothing new while the bodies in memory wait for their image work: so the network never runs
 * away from the decoder.
 */
export function gateByMemory(governor: Governor, budget: ByteBudget): Governor {
  return {
    tryAcquire: (host) => (budget.isFull ? undefined : governor.tryAcquire(host)),
    onCapacity(listen) {
      const stops = [governor.onCapacity(listen), budget.onRoom(listen)]
      return () => {
        for (const stop of stops) stop()
      }
    },
    pauseHost: (host, forMs, reason) => governor.pauseHost(host, forMs, reason),
    pausedForMs: (host) => governor.pausedForMs(host),
    update: (limits) => governor.update(limits),
    shrinkTotal: (reason) => governor.shrinkTotal(reason),
    snapshot: () => governor.snapshot(),
    onEvent: (listen) => governor.onEvent(listen),
    learned: () => governor.learned(),
    close: () => governor.close(),
  }
}
