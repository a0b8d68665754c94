import { isAbsolute, join, relative } from 'node:path'
import { formats as formatVersions } from '../core/index.ts'
import type { PackedPage, PackFormat } from '../pack/index.ts'
import { confine, type NameTemplate } from '../storage/index.ts'
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

/** What the names of a work's containers depend on. */
export interface NamedWork {
  readonly spec: BookSpec
  readonly work: PlannedWork
  readonly template: NameTemplate
  /** Absolute output folder. */
  readonly dir: string
  readonly before: BookRecord | undefined
}

/** A work whose containers are written and read back, but have no names yet. */
export interface FinishedWork extends NamedWork {
  /** Absolute folder of the work's staging. */
  readonly staging: string
  readonly recordPath: string
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
 * Files that stand where the containers of a work should go, where the options say that they are skipped: all of them
 * are there, so there is nothing to fetch. Throws ERR_EXISTS where the options call one an error, and ERR_PATH_UNSAFE.
 * Says nothing where the names depend on what is not known yet.
 */
export async function takenBefore(wanted: NamedWork): Promise<readonly string[] | undefined> {
  const { formats, onExists } = wanted.spec.options
  const paths = formats.map((format) => wantedPath(wanted, format, { pages: 0, missing: 0 }))
  const others = formats.map((format) => wantedPath(wanted, format, { pages: 1, missing: 0 }))
  if (paths.some((path, i) => path !== others[i])) return undefined
  await confineNames(wanted, paths)
  if (onExists !== 'skip' && onExists !== 'error') return undefined
  const rules = rulesOf(wanted)
  const isFree = paths.map((path) => claimFinalPath(path, rules) !== undefined)
  return isFree.includes(true) ? undefined : paths
}

/**
 * Gives the containers of a work their names: record with the intent, names, record, so that a killed run finds its
 * own files again. Gives their absolute paths; those that are to be skipped are left out. Throws ERR_EXISTS,
 * ERR_PATH_UNSAFE and storage errors.
 */
export async function publishWork(finished: FinishedWork): Promise<readonly string[]> {
  const { spec, work, dir, staging, recordPath, pages, missing } = finished
  const { formats, sidecar } = spec.options
  const rules = rulesOf(finished)
  const counts = { pages: pages.length, missing: missing.length }
  await confineNames(
    finished,
    formats.map((format) => wantedPath(finished, format, counts)),
  )
  const wanted: { format: PackFormat; path: string }[] = []
  const containers: ContainerRecord[] = []
  for (const [i, format] of formats.entries()) {
    const path = claimFinalPath(wantedPath(finished, format, counts), rules)
    if (path === undefined) continue
    const { sizeBytes = 0, places = [] } = finished.made[i] ?? {}
    wanted.push({ format, path })
    containers.push({ format, path: recordedPath(path, dir), sizeBytes, pages: places })
  }
  if (wanted.length === 0) return []
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

function rulesOf({ spec, dir, before }: NamedWork): NamingRules {
  const { onExists, durability } = spec.options
  return { dir, onExists, durability, ours: before?.containers ?? [] }
}

/** What a template makes of the words of a source stays in the output folder, also through links. */
async function confineNames({ spec, dir }: NamedWork, paths: readonly string[]): Promise<void> {
  if (spec.options.out !== undefined) return
  for (const path of paths) await confine(dir, relative(dir, path))
}

function wantedPath(
  { spec, work, template, dir }: NamedWork,
  format: PackFormat,
  counts: { readonly pages: number; readonly missing: number },
): string {
  const suffix = counts.missing > 0 ? ' [incomplete]' : ''
  const name = spec.options.out ?? template.render(bookValues(work, work.metadata, counts.pages))
  const extension = containerExtensions[format]
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
