import { describeLocator } from '../../core/index.ts'
import type {
  EntityFacts,
  EntityVerdict,
  KeptBytes,
  TransferCallbacks,
  TransferOrder,
} from '../transfer/transfer.ts'
import type { RunState } from './run-state.ts'
import type { RunningTask } from './task-queue.ts'

/** An order of this run, which finds its task again without a table. */
export interface RunOrder extends TransferOrder {
  readonly item: RunningTask
}

/** Everything that the transfers of a run may ask of it; made once for all of them. */
export function createTransferCallbacks(
  state: RunState,
  onCapacity: TransferCallbacks['onCapacity'],
): TransferCallbacks {
  const { parts, options, counters } = state
  const itemOf = (order: TransferOrder): RunningTask => (order as RunOrder).item
  return {
    entity: (order, facts) => entityOf(state, itemOf(order), facts),
    // Also while the run drains: what is active is to end.
    acquire: (host) =>
      state.volume.paused || state.holds.holdsHost(host) ? undefined : parts.governor.tryAcquire(host),
    onCapacity,
    connections: (order, count) => {
      itemOf(order).connections = count
    },
    received: (order, host, count) => {
      const item = itemOf(order)
      item.doneBytes += count
      counters.activeBytes += count
      counters.received(count)
      const limited = parts.isLimited() || item.limitRateBps !== undefined
      return limited ? parts.rateLimiter.take(count, { host, itemId: order.task.id }) : 0
    },
    checkpoint: (order, kept: KeptBytes) => options.destination.checkpoint(itemOf(order), kept),
    notice: (order, error) =>
      options.onEvent?.({
        type: 'job.notice',
        message: `${describeLocator(order.task.locator)}: ${error.message}`,
        error: error.toJSON(),
      }),
  }
}

function entityOf({ options, counters }: RunState, item: RunningTask, facts: EntityFacts): EntityVerdict {
  const verdict = options.destination.entity(item, facts)
  if (verdict.path !== undefined) item.path = verdict.path
  if (verdict.found) item.found = verdict.found
  if (verdict.verdict === 'skip' && verdict.reason === 'filtered') return verdict
  // What was found beforehand is another version: from here on it is a transfer as any other.
  if (verdict.verdict === 'go' && item.found && item.found.proof !== 'sample') {
    item.found = undefined
    item.places = item.allPlaces
  }
  if (item.sizeBytes === undefined && facts.lengthBytes !== undefined) {
    counters.knownBytes += facts.lengthBytes
  }
  item.sizeBytes = facts.lengthBytes
  return verdict
}
