export type {
  Governor,
  GovernorEvent,
  GovernorLimits,
  GovernorSnapshot,
  HostLimits,
  HostMemory,
  Lease,
  LeaseReport,
} from './governor.ts'
export { wrapGovernor } from './wrap-governor.ts'
export { reportOf } from './lease-report.ts'
export type { BudgetSource } from './budget-source.ts'
export type { LoadSignal } from './load-signal.ts'
export type { EventLoopLoadOptions } from './event-loop-load.ts'
export { createGovernor, type GovernorOptions } from './create-governor.ts'
