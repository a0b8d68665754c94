export { createFileNamer, type FileNamer } from './file-name.ts'
export { createTaskMaker, type FileRequest } from './file-tasks.ts'
export { createGetKind, type GetJobParts } from './get-job.ts'
export type { GetHooks, GetInput, GetInputOptions, GetInputs, GetSpec } from './get-spec.ts'
