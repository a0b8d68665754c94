import { TrawlError, type Clock } from '../../core/index.ts'
import type { ChunkConsumer, ResponseBody } from '../../http/index.ts'
import { SpeedFloor, type MinSpeed } from '../segments/speed-floor.ts'

const lookEveryMs = 200

/**
 * Drains a body that must come at a least speed. Time in which the consumer made it wait does not count. Rejects with
 * ERR_NET_STALLED, and with what `drain` rejects with.
 */
export async function drainWatched(
  body: ResponseBody,
  consume: ChunkConsumer,
  watch: { readonly minSpeed: MinSpeed; readonly clock: Clock },
): Promise<void> {
  const { clock, minSpeed } = watch
  const floor = new SpeedFloor(minSpeed, clock.now())
  let tooSlow = false
  let held = 0
  const look = (): void => {
    if (held > 0) floor.excuse(clock.now())
    tooSlow ||= floor.isTooSlow(clock.now())
    if (tooSlow) body.cancel()
    else stop = clock.after(lookEveryMs, look)
  }
  let stop = clock.after(lookEveryMs, look)
  try {
    await body.drain((chunk) => {
      floor.received(chunk.length)
      const answer = consume(chunk)
      if (!(answer instanceof Promise)) return answer
      held++
      return answer.finally(() => {
        held--
        floor.excuse(clock.now())
      })
    })
  } finally {
    stop()
  }
  if (tooSlow) throw new TrawlError('ERR_NET_STALLED', 'bytes came more slowly than --min-speed allows')
}
