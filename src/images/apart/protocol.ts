import type { WireError } from '../../workers/index.ts'
import type { SampleImage, SampleOrder } from '../sample/sample-resizer.ts'

/**
 * Image work in a process apart: what crosses between the one that asks and the one that works. An order has the bytes
 * of one image and is answered once. Both are the same version of trawl: the process is started from beside the asker.
 */
export interface ResizeOrder {
  readonly id: number
  readonly bytes: Uint8Array
  readonly order: SampleOrder
}

export type ResizeAnswer =
  /** Without `bytes` the original stays as it is. */
  | {
      readonly type: 'made'
      readonly id: number
      readonly image: Omit<SampleImage, 'bytes'>
      readonly bytes?: Uint8Array
    }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
