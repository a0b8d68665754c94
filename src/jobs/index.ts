export { EventLog } from './event-log.ts'
export { startJob, type Job, type JobResult, type StartJobOptions } from './job.ts'
export { scheduleAt, type ScheduleRule } from './schedule.ts'
