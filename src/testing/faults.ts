import { bodyFaults } from './faults-body.ts'
import { loadFaults } from './faults-load.ts'
import { rangeFaults } from './faults-range.ts'
import { sequenceFaults } from './faults-sequence.ts'

/** Everything that can go wrong at an origin; compose with `withFaults(respond.withRange(file), faults.x(...))`. */
export const faults = { ...bodyFaults, ...rangeFaults, ...sequenceFaults, ...loadFaults } as const
