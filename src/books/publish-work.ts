import { isAbsolute, join } from 'node:path'
import { formats as formatVersions } from '../core/index.ts'
import type { PackedPage, PackFormat } from '../pack/index.ts'
import type { NameTemplate } from '../storage/index.ts'
import { bookValues } from './book-names.ts'
import { writeBookRecord, type BookRecord, type ContainerRecord, type PageRecord } from './book-record.ts'
import type { BookSpec, MissingPage } from './book-spec.ts'
import type { SetFindings } from './check-set.ts'
import type { PlannedWork } from './planned-work.ts'
import {
  claimFinalPath,
  containerExtensions,
  publishContainer,
  recordedPath,
  removeSuperseded,
  writeSidecar,
  type NamingRules,
} from './publish-book.ts'

/** A work whose containers are written and read back, but have no names yet. */
export interface FinishedWork {
  readonly spec: BookSpec
  readonly work: PlannedWork
  readonly template: NameTemplate
  /** Absolute output folder. */
  readonly dir: string
  /** Absolute folder of the work's staging. */
  readonly staging: string
  readonly recordPath: string
  readonly before: BookRecord | undefined
  readonly settings: string
  readonly pages: readonly PageRecord[]
  readonly missing: readonly MissingPage[]
  /** What is odd about the pages. */
  readonly found: SetFindings
  /** Of each format: its length and where its pages lie. */
  readonly made: readonly { readonly sizeBytes: number; readonly places: readonly PackedPage[] }[]
}

/** Where the container of a format is made, before it has its name. */
export function stagedContainer(staging: string, format: PackFormat): string {
  return join(staging, 'out', format, `book${containerExtensions[format]}`)
}

/**
 * Gives the containers of a work their names: record with the intent, names, record, so that a killed run finds its
 * own files again. Gives their absolute paths. Throws ERR_EXISTS and storage errors.
 */
export function publishWork(finished: FinishedWork): readonly string[] {
  const { spec, work, dir, staging, recordPath, before, pages, missing } = finished
  const { formats, onExists, durability, sidecar } = spec.options
  const rules: NamingRules = { dir, onExists, durability, ours: before?.containers ?? [] }
  const wanted = formats.map((format) => ({
    format,
    path: claimFinalPath(wantedPath(finished, containerExtensions[format]), rules),
  }))
  const containers = wanted.map(({ format, path }, i): ContainerRecord => {
    const { sizeBytes = 0, places = [] } = finished.made[i] ?? {}
    return { format, path: recordedPath(path, dir), sizeBytes, pages: places }
  })
  const record = recordOf(finished, containers)
  writeBookRecord(recordPath, {
    ...record,
    state: 'publishing',
    containers: [...rules.ours, ...containers],
  })
  for (const { format, path } of wanted) publishContainer(stagedContainer(staging, format), path, rules)
  const [first] = wanted
  if (sidecar && first) {
    writeSidecar(first.path, { metadata: work.metadata, pages: pages.length, missing })
  }
  removeSuperseded(wanted, rules)
  writeBookRecord(recordPath, record)
  return wanted.map(({ path }) => path)
}

function recordOf(finished: FinishedWork, containers: readonly ContainerRecord[]): BookRecord {
  const { spec, work, settings, pages, found } = finished
  return {
    format: 'trawl-book',
    version: formatVersions.bookRecord,
    id: work.id,
    state: 'done',
    source: work.source.name,
    input: work.input,
    metadata: work.metadata,
    settings,
    partial: spec.options.partial,
    pages,
    containers,
    ...(found.notes.length > 0 ? { notes: found.notes } : {}),
    ...(found.suspect ? { suspect: true } : {}),
    finishedMs: Date.now(),
  }
}

function wantedPath({ spec, work, template, dir, pages, missing }: FinishedWork, extension: string): string {
  const suffix = missing.length > 0 ? ' [incomplete]' : ''
  const name = spec.options.out ?? template.render(bookValues(work, work.metadata, pages.length))
  return containerPath({ dir, name, extension, suffix, given: spec.options.out !== undefined })
}

/** The path of a container as options and template want it. A name that the user gave may have an extension. */
export function containerPath(wanted: {
  readonly dir: string
  readonly name: string
  readonly extension: string
  readonly given: boolean
  readonly suffix?: string
}): string {
  const { dir, name, extension, suffix = '' } = wanted
  const path = isAbsolute(name) ? name : join(dir, name)
  const known = wanted.given
    ? Object.values(containerExtensions).find((one) => one !== '' && path.endsWith(one))
    : undefined
  return `${known === undefined ? path : path.slice(0, -known.length)}${suffix}${extension}`
}
