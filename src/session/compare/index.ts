export { compareModes, type CompareModesOptions } from './compare-modes.ts'
export { comparisonSvg, timesOf } from './comparison-svg.ts'
export { summarise, type Comparison, type Machine, type ModeRun, type ModeSummary } from './comparison.ts'
export { describeMachine } from './machine.ts'
