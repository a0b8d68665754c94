export type { HostRow, ReportBin, ReportData, ThroughputPoint } from './report-data.ts'
export { writeReport, type ReportOptions } from './write-report.ts'
