import { availableParallelism } from 'node:os'
import { createApartResizer, createDecodePool, createLocalResizer } from '../../images/index.ts'
import type { SampleResizers } from './make-sample.ts'

/** Pixels that are decoded at once; an image with more is decoded alone. */
const maxPixelsInFlight = 64_000_000

/** What makes the images of a job: threads of this process, and a process apart for those that killed one before. */
export function openResizers(): SampleResizers {
  const pool = createDecodePool({ maxJobs: availableParallelism() + 1, maxPixelsInFlight })
  return { usual: createLocalResizer(pool), apart: createApartResizer() }
}
