import { toTrawlError, type DownloadTask } from '../core/index.ts'
import type { InputTask } from '../engine/index.ts'
import type { OutputFolder } from '../storage/index.ts'
import { faultOfFile, type ExpectedFile } from './verify-files.ts'

export interface CheckExistingOptions {
  readonly folder: OutputFolder
  /** Every finished file is read; else those of which a digest is expected that is not on record. */
  readonly all: boolean
  readonly notice: (message: string) => void
}

/**
 * The same tasks. Files of earlier runs that are to be skipped are read and compared first, where that is asked for or a
 * digest is expected that was not compared when they were fetched. One that is not what it should be is forgotten, so
 * that it comes anew under another name; people are told.
 */
export async function* checkExisting(
  batches: AsyncIterable<readonly InputTask[]>,
  options: CheckExistingOptions,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  for await (const batch of batches) {
    for (const task of batch) {
      const expected = 'locator' in task ? expectedOf(task, options) : undefined
      if (expected) await check(task.id, expected, options)
    }
    yield batch
  }
}

/** What a finished file is to be compared with; undefined where there is nothing to look at. */
function expectedOf(task: DownloadTask, { folder, all }: CheckExistingOptions): DoneFile | undefined {
  if (!all && task.digests === undefined) return undefined
  const done = folder.journal.doneFile(task.id)
  // What is missing or has another length is seen without reading it.
  if (!done || folder.look(done.path)?.size !== done.lengthBytes) return undefined
  const intent = folder.journal.find(task.id)?.intent
  const recorded = intent?.facts.digest
  const wanted = task.digests ?? []
  const isCompared = wanted.every((digest) =>
    recorded?.algorithm === digest.algorithm ? recorded.value === digest.value.toLowerCase() : false,
  )
  if (!all && isCompared) return undefined
  return {
    path: done.path,
    length: done.lengthBytes,
    sum: intent?.crc32,
    digests:
      recorded && !wanted.some((each) => each.algorithm === recorded.algorithm)
        ? [...wanted, recorded]
        : wanted,
  }
}

interface DoneFile extends ExpectedFile {
  readonly path: string
}

async function check(
  id: string,
  expected: DoneFile,
  { folder, notice }: CheckExistingOptions,
): Promise<void> {
  try {
    const fault = await faultOfFile(`${folder.path}/${expected.path}`, expected)
    if (!fault) return
    folder.journal.forget(id)
    notice(`${fault.message}; it is fetched again, under another name`)
  } catch (error) {
    notice(toTrawlError(error).message)
  }
}
