import { createApartResizer, createDecodePool, createLocalResizer } from '../../images/index.ts'
import type { SampleResizers } from './make-sample.ts'

/** Pixels that are decoded at once; an image with more is decoded alone. */
const maxPixelsInFlight = 64_000_000
/** Threads of libuv where nothing else is said. */
const usualThreads = 4

/** What makes the images of a job: threads of this process, and a process apart for those that killed one before. */
export function openResizers(): SampleResizers {
  const threads = Number(process.env['UV_THREADPOOL_SIZE']) || usualThreads
  // Twice as many as there are threads: one that is free finds the next image without waiting for the event loop.
  const pool = createDecodePool({ maxJobs: 2 * threads, maxPixelsInFlight })
  return { usual: createLocalResizer(pool), apart: createApartResizer() }
}
