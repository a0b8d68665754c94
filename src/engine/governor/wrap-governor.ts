import type { Governor } from './governor.ts'

/** What a behaviour around a governor may change of it. */
export type GovernorChanges = Partial<Pick<Governor, 'tryAcquire' | 'onCapacity' | 'pausedForMs'>>

/** The same governor but for what `changes` does in its place. */
export function wrapGovernor(governor: Governor, changes: GovernorChanges): Governor {
  return {
    tryAcquire: (host) => governor.tryAcquire(host),
    onCapacity: (listen) => governor.onCapacity(listen),
    pauseHost: (host, forMs, reason) => governor.pauseHost(host, forMs, reason),
    pausedForMs: (host) => governor.pausedForMs(host),
    update: (limits) => governor.update(limits),
    shrinkTotal: (reason) => governor.shrinkTotal(reason),
    snapshot: () => governor.snapshot(),
    onEvent: (listen) => governor.onEvent(listen),
    learned: () => governor.learned(),
    close: () => governor.close(),
    ...changes,
  }
}
