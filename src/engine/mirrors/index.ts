export { HostRecord } from './host-record.ts'
export { leftOut, MirrorSet } from './mirror-set.ts'
