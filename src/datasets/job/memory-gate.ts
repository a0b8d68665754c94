import { wrapGovernor, type ByteBudget, type Governor } from '../../engine/index.ts'

/**
 * A governor that starts nothing new while the bodies in memory wait for their image work: so the network never runs
 * away from the decoder.
 */
export function gateByMemory(governor: Governor, budget: ByteBudget): Governor {
  return wrapGovernor(governor, {
    tryAcquire: (host) => (budget.isFull ? undefined : governor.tryAcquire(host)),
    onCapacity(listen) {
      const stops = [governor.onCapacity(listen), budget.onRoom(listen)]
      return () => {
        for (const stop of stops) stop()
      }
    },
  })
}
