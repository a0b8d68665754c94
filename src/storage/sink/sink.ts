import type { Extent } from '../../core/index.ts'

/** Abilities of a sink, so that callers never test for a kind. */
export interface SinkProperties {
  /** Writes may come in any order. */
  readonly randomAccess: boolean
  /** What was checkpointed is there after a kill -9. */
  readonly durable: boolean
  readonly readable: boolean
}

/**
 * Where the bytes of one file go. One writer; calls of one sink are not made concurrently, except that writes of
 * different extents may be in flight together.
 *
 * - `open` comes first, with the extents kept from an earlier run and the generation they belong to. It gives those
 *   of them that are really there: only these may be left out of the transfer.
 * - A `write` of another generation than the present one is refused with ERR_STALE_WRITE. A returned promise
 *   is back-pressure: wait for it before the next chunk. The chunk is the sink's from then on: its memory may be used
 *   again once the bytes are written.
 * - `checkpoint` makes everything written so far safe against the death of the process and tells which extents that is.
 * - `read` gives bytes that were checkpointed, fewer where the file ends.
 * - `reset` throws all bytes away and starts a new generation; writes of the old one that are still in flight change
 *   nothing any more.
 * - `commit` gives the checkpointed bytes their final place, atomically. After it failed it may be called again, with
 *   another path.
 * - `abort` gives up and never throws: bytes of a durable sink stay for the next run unless `discard` is set, others are
 *   gone. It gives the extents that stay.
 * - Both close: after a `commit` that succeeded, or an `abort`, nothing more may be called but `abort`, which then
 *   changes nothing.
 * - All but `abort` throw storage errors.
 */
export interface Sink {
  readonly properties: SinkProperties
  open(kept: readonly Extent[], generation: number, lengthBytes?: number): readonly Extent[]
  write(offset: number, chunk: Buffer, generation: number): void | Promise<void>
  read(offset: number, lengthBytes: number): Buffer
  checkpoint(): readonly Extent[] | Promise<readonly Extent[]>
  reset(generation: number): void
  commit(finalPath: string, options: CommitOptions): void
  abort(options?: { readonly discard?: boolean }): readonly Extent[]
}

export interface CommitOptions {
  /** Replace what stands under the final name; without it, ERR_EXISTS. */
  readonly replace: boolean
  /** Modification time to set, in seconds since 1970. */
  readonly modifiedS?: number
}
