export {
  changeHeaders,
  mapReply,
  withFaults,
  type Behaviour,
  type Cut,
  type Fault,
  type Framing,
  type OriginRequest,
  type Reply,
} from './behaviour.ts'
export { body, bodyFrom, type Body } from './body.ts'
export {
  createFaultOrigin,
  type FaultOrigin,
  type FaultOriginOptions,
  type LoggedRequest,
} from './fault-origin.ts'
export { faults } from './faults.ts'
export type { Collapse } from './faults-load.ts'
export type { Expiry } from './faults-sequence.ts'
export { respond, type FileFacts } from './respond.ts'
