import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { taskId, TrawlError, type DownloadTask } from '../../../src/core/index.ts'
import {
  FolderDestination,
  type EntityFacts,
  type OnExists,
  type StagedTransfer,
} from '../../../src/engine/index.ts'
import { OutputFolder } from '../../../src/storage/index.ts'

/** A task for one URL. */
export function taskOf(url: string, extra: Partial<DownloadTask> = {}): DownloadTask {
  const locator = { kind: 'mirrors', places: [{ url }] } as const
  const target = extra.target ?? {}
  return { id: taskId('file', locator, target, 0), kind: 'file', locator, ordinal: 0, target, ...extra }
}

function factsOf(url: string, content: string, extra: Partial<EntityFacts> = {}): EntityFacts {
  return { url, httpStatus: 200, lengthBytes: content.length, validators: {}, ...extra }
}

/** An output folder with its destination, and the steps of a transfer without a network. */
export function openDestination(path: string, onExists: OnExists = 'resume', folder = openFolder(path)) {
  const destination = new FolderDestination({
    folder,
    onExists,
    nameOf: (task) =>
      task.target.path ??
      new URL(task.locator.kind === 'source' ? '' : (task.locator.places[0]?.url ?? '')).pathname.slice(1),
    acceptHtml: false,
    remoteTime: false,
  })
  return {
    folder,
    destination,
    /** Takes a file all the way; resolves with its name, or why it was skipped, or the code of what it failed with. */
    async fetch(task: DownloadTask, content: string, facts: Partial<EntityFacts> = {}): Promise<string> {
      try {
        const admission = destination.admit(task)
        if (admission.admit === 'skip') return `${admission.reason}: ${admission.path}`
        const { path, kept, replace = false } = admission
        const url = task.locator.kind === 'source' ? '' : (task.locator.places[0]?.url ?? '')
        const verdict = destination.entity({ task, path, kept, replace }, factsOf(url, content, facts))
        if (verdict.verdict === 'skip') return `${verdict.reason}: ${verdict.path}`
        const named = { task, path: verdict.path, kept, replace }
        return await destination.commit(named, stage(verdict.sink, content), {
          attempts: 1,
          durationMs: 1,
          fetchedBytes: content.length,
        })
      } catch (error) {
        if (error instanceof TrawlError) return error.code
        throw error
      }
    },
    close: () => folder.close(),
  }
}

export function openFolder(path: string): OutputFolder {
  return new OutputFolder({ path, durability: 'none' })
}

/** All bytes of a content in a sink, ready for a commit. */
export function stage(sink: StagedTransfer['sink'], content: string): StagedTransfer {
  sink.open([], 1)
  if (content !== '') void sink.write(0, Buffer.from(content), 1)
  return {
    result: 'staged',
    sink,
    generation: 1,
    lengthBytes: content.length,
    crc32: crc32(content),
    digests: [],
    fetchedBytes: content.length,
    facts: {},
  }
}

/** Every file below a folder but those of `.trawl`, with its text. */
export function filesIn(folder: string, below = ''): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (path === '.trawl') continue
    if (entry.isDirectory()) Object.assign(files, filesIn(folder, path))
    else files[path] = readFileSync(join(folder, path), 'utf8')
  }
  return files
}

export function put(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
