import { TrawlError } from '../../core/index.ts'
import { fromWireError, startWorker, type WorkerChannel } from '../../workers/index.ts'
import { asBuffer } from '../bytes/byte-source.ts'
import type { ResizeRun, SampleImage, SampleOrder, SampleResizer } from '../sample/sample-resizer.ts'
import type { ResizeAnswer, ResizeOrder } from './protocol.ts'

/** The image at work. */
interface Asked {
  readonly id: number
  readonly bytes: Uint8Array
  readonly resolve: (image: SampleImage) => void
  readonly reject: (error: TrawlError) => void
}

const closeGraceMs = 2000
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** Beside this module in the sources, and beside the bundle where it is built. */
const entry = new URL(`./resize-worker.${extension}`, import.meta.url)

/**
 * Makes samples in a process apart, one image after the other: for images that may have killed the process which worked
 * on them. The process starts with the first image. Where it dies, its image is rejected with ERR_IMAGE_DAMAGED and the
 * next one gets another process; where none can be started, ERR_WORKERS_FAILED.
 */
export function createApartResizer(): SampleResizer {
  return new ApartResizer()
}

class ApartResizer implements SampleResizer {
  #worker: WorkerChannel | undefined
  #asked: Asked | undefined
  #lastId = 0
  #turn: Promise<unknown> = Promise.resolve()
  #closed = false

  resize(bytes: Uint8Array, order: SampleOrder, run: ResizeRun = {}): Promise<SampleImage> {
    const made = this.#turn.then(() => this.#one(bytes, order, run))
    this.#turn = made.catch(() => {})
    return made
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.close(this.#asked ? 0 : closeGraceMs)
    await this.#turn
  }

  #one(bytes: Uint8Array, order: SampleOrder, { atWork, signal }: ResizeRun): Promise<SampleImage> {
    if (this.#closed || signal?.aborted === true) return Promise.reject(cancelled(signal))
    this.#lastId++
    const id = this.#lastId
    const end = atWork?.()
    const onAbort = (): void => {
      this.#asked?.reject(cancelled(signal))
      // Nobody waits for what it does now.
      this.#worker?.kill()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const made = new Promise<SampleImage>((resolve, reject) => {
      this.#asked = { id, bytes, resolve, reject }
      this.#worker ??= this.#start()
      const wanted: readonly ResizeOrder[] = [{ id, bytes, order }]
      this.#worker.post(wanted)
    })
    return made.finally(() => {
      signal?.removeEventListener('abort', onAbort)
      this.#asked = undefined
      end?.()
    })
  }

  #start(): WorkerChannel {
    const worker = startWorker('processes', {
      entry,
      onMessage: (answers) => {
        for (const answer of answers as readonly ResizeAnswer[]) this.#take(answer)
      },
      onExit: ({ reason }) => {
        if (this.#worker === worker) this.#worker = undefined
        this.#asked?.reject(this.#closed ? cancelled(undefined) : died(worker, reason))
      },
    })
    return worker
  }

  #take(answer: ResizeAnswer): void {
    const asked = this.#asked
    if (asked?.id !== answer.id) return
    if (answer.type === 'failed') asked.reject(fromWireError(answer.error))
    else asked.resolve({ ...answer.image, bytes: asBuffer(answer.bytes ?? asked.bytes) })
  }
}

function died(worker: WorkerChannel, reason: string): TrawlError {
  if (worker.pid === undefined) {
    return new TrawlError('ERR_WORKERS_FAILED', `no process for image work can be started: ${reason}`)
  }
  return new TrawlError('ERR_IMAGE_DAMAGED', `the image library dies of it: ${reason}`, {
    hint: 'Leave the image out, or report it where its library is made (libvips).',
    retry: 'never',
  })
}

function cancelled(signal: AbortSignal | undefined): TrawlError {
  return new TrawlError('ERR_CANCELLED', 'cancelled while an image was made', { cause: signal?.reason })
}
