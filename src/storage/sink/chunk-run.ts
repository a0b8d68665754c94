import { writeSync, writevSync } from 'node:fs'
import { giveBack } from '../../core/index.ts'

/** Chunks that follow each other. The first has a place of its own, since it is mostly the only one. */
export interface ChunkRun {
  readonly at: number
  readonly first: Buffer
  more: Buffer[] | undefined
  sizeBytes: number
}

/** Where the next chunk would go on. */
export function endOf(run: ChunkRun): number {
  return run.at + run.sizeBytes
}

/** Its bytes are written: whoever received them may use the memory again. */
export function giveBackRun({ first, more }: ChunkRun): void {
  giveBack(first)
  if (more) for (const chunk of more) giveBack(chunk)
}

/** Its chunks, in order. */
export function buffersOf(run: ChunkRun): Buffer[] {
  return run.more ? [run.first, ...run.more] : [run.first]
}

/** Writes a run to its place in a file. Throws the errors of the system. */
export function writeFully(fd: number, run: ChunkRun): void {
  const { at, first, more, sizeBytes } = run
  // One buffer is the rule for small files, and then the plain call is cheaper.
  const written = more ? writevSync(fd, buffersOf(run), at) : writeSync(fd, first, 0, sizeBytes, at)
  if (written < sizeBytes) writeRest(fd, run, written)
}

/** What a call that took only a part left over. */
export function writeRest(fd: number, run: ChunkRun, done: number): void {
  const buffers = buffersOf(run)
  let written = done
  while (written < run.sizeBytes) written += writevSync(fd, skipBytes(buffers, written), run.at + written)
}

/** The buffers after their first `count` bytes. */
function skipBytes(buffers: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = []
  let skip = count
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length
    else {
      rest.push(skip > 0 ? buffer.subarray(skip) : buffer)
      skip = 0
    }
  }
  return rest
}
