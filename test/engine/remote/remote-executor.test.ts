import { describeExecutorContract } from '../../contract/executor.ts'

describeExecutorContract('threads')
describeExecutorContract('processes')
