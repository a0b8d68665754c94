/** What the process for image work apart runs. An entry of its own; nothing imports it. */
import { toTrawlError } from '../../core/index.ts'
import { openWorkerPort, toWireError } from '../../workers/index.ts'
import { sharedDecodePool } from '../decode/decode-pool.ts'
import { createLocalResizer } from '../sample/sample-resizer.ts'
import type { ResizeAnswer, ResizeOrder } from './protocol.ts'

const resizer = createLocalResizer(sharedDecodePool())

const port = openWorkerPort({
  onMessage: (items) => {
    for (const item of items as readonly ResizeOrder[]) void answer(item)
  },
  onClose: () => port.close(),
})

async function answer({ id, bytes, order }: ResizeOrder): Promise<void> {
  const answers: ResizeAnswer[] = []
  try {
    const { bytes: made, ...image } = await resizer.resize(bytes, order)
    answers.push({ type: 'made', id, image, ...(image.reencoded ? { bytes: made } : {}) })
  } catch (error) {
    answers.push({ type: 'failed', id, error: toWireError(toTrawlError(error)) })
  }
  port.post(answers)
}
