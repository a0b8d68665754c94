import { fromWireError, toWireError } from '../../workers/index.ts'
import type { LeaseReport } from '../governor/index.ts'
import type { WireReport } from './protocol.ts'

/** The report of a lease as it crosses to another thread or process. */
export function toWireReport({ result, error }: LeaseReport): WireReport {
  return error === undefined ? { result } : { result, error: toWireError(error) }
}

export function fromWireReport({ result, error }: WireReport): LeaseReport {
  return error === undefined ? { result } : { result, error: fromWireError(error) }
}
