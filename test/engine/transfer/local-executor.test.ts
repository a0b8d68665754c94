import { describeExecutorContract } from '../../contract/executor.ts'

describeExecutorContract('async')
describeExecutorContract('loop')
