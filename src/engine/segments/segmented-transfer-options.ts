import type { Clock, Digest, Extent, Validators } from '../../core/index.ts'
import type { Transport, TransportResponse } from '../../http/index.ts'
import type { Sink } from '../../storage/index.ts'
import type { PatientCallbacks, TransferOrder } from '../transfer/transfer.ts'
import type { HostQuirks } from './host-quirks.ts'
import type { MinSpeed } from './speed-floor.ts'
import type { UnsavedBytes } from './unsaved-bytes.ts'

export interface SegmentedTransferOptions {
  readonly order: TransferOrder
  readonly callbacks: Omit<PatientCallbacks, 'entity'>
  readonly transport: Transport
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly sink: Sink
  readonly generation: number
  readonly lengthBytes: number
  readonly contentType: string | undefined
  /** What the first answer says of the bytes of the whole file. */
  readonly digest: Digest | undefined
  /** By origin, as far as known. */
  readonly validators: Record<string, Validators>
  /** False where the server said that it has no ranges. */
  readonly rangesAllowed: boolean
  readonly quirks: HostQuirks
  readonly unsaved: UnsavedBytes
  readonly minSpeed?: MinSpeed
  readonly hostOf: (url: string) => string
}

/** What a transfer begins with. */
export type Beginning = { readonly response: TransportResponse } | { readonly there: readonly Extent[] }
