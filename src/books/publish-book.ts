import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative } from 'node:path'
import { TrawlError, type BookMetadata } from '../core/index.ts'
import type { PackFormat } from '../pack/index.ts'
import { publish, storageError, withNumber, type Durability } from '../storage/index.ts'
import type { ContainerRecord } from './book-record.ts'
import type { MissingPage } from './book-spec.ts'
import { onSameVolume } from './same-volume.ts'

/** Extensions of containers, with the dot. */
export const containerExtensions: Readonly<Record<PackFormat, string>> = {
  pdf: '.pdf',
  cbz: '.cbz',
  epub: '.epub',
  zip: '.zip',
  folder: '',
  long: '.jpg',
}

export interface NamingRules {
  readonly dir: string
  readonly onExists: 'resume' | 'skip' | 'overwrite' | 'rename' | 'error'
  readonly durability: Durability
  /** Containers of ours, which may be replaced while nobody has changed them. */
  readonly ours: readonly ContainerRecord[]
}

/**
 * The absolute final path of a container: as wanted, or with a number where a file stands there that is not ours.
 * None where the options say that such a file is skipped; throws ERR_EXISTS where they say that it is an error.
 */
export function claimFinalPath(wanted: string, rules: NamingRules): string | undefined {
  for (let number = 0; ; number++) {
    const path = number === 0 ? wanted : withNumber(wanted, number)
    if (!isTaken(path, rules)) return path
    if (rules.onExists === 'skip') return undefined
    if (rules.onExists === 'error') {
      throw new TrawlError('ERR_EXISTS', `${path} exists`, { context: { path } })
    }
  }
}

function isTaken(path: string, rules: NamingRules): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && !isOurs(path, rules) && !(rules.onExists === 'overwrite' && found.isFile())
}

/** True where a container of ours stands, as we left it. */
function isOurs(path: string, rules: Pick<NamingRules, 'dir' | 'ours'>): boolean {
  return rules.ours.some((one) => absoluteOf(one.path, rules.dir) === path && stands(one, rules.dir))
}

/** True where the container is there with the length of its record. */
export function stands(container: ContainerRecord, dir: string): boolean {
  const path = absoluteOf(container.path, dir)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (container.format === 'folder') return found.isDirectory()
  return container.format === 'long' ? found.isFile() : found.size === container.sizeBytes
}

/** Gives finished containers their final names, one after the other. Throws ERR_EXISTS and storage errors. */
export function publishContainer(made: string, final: string, rules: NamingRules): void {
  const replace = isOurs(final, rules) || rules.onExists === 'overwrite'
  try {
    mkdirSync(dirname(final), { recursive: true })
    if (statSync(made).isDirectory()) {
      onSameVolume(made, final, (path) => {
        if (replace) rmSync(final, { recursive: true, force: true })
        renameSync(path, final)
      })
      return
    }
  } catch (error) {
    throw storageError(error, { path: final, doing: 'name' })
  }
  onSameVolume(made, final, (path) =>
    publish(path, final, { replace, durability: rules.durability === 'none' ? 'none' : 'strict' }),
  )
  // A long image may have gone into several files.
  const stem = basename(made, extname(made))
  const further = new RegExp(`^${stem}(-\\d+)\\.\\w+$`)
  for (const name of readdirSync(dirname(made))) {
    const suffix = further.exec(name)?.[1]
    if (suffix === undefined) continue
    const extension = extname(final)
    const target = `${final.slice(0, final.length - extension.length)}${suffix}${extension}`
    onSameVolume(join(dirname(made), name), target, (path) =>
      publish(path, target, { replace, durability: rules.durability }),
    )
  }
}

/** The form of a path in records: they move with their folder. */
export function recordedPath(path: string, dir: string): string {
  const inside = relative(dir, path)
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? path : inside.replaceAll('\\', '/')
}

/** The absolute form of a path of a record. */
export function absoluteOf(path: string, dir: string): string {
  return isAbsolute(path) ? path : join(dir, path)
}

/**
 * Writes what is known of a work to `NAME.json` beside its container, or with a number where a file stands there that is
 * no sidecar. Throws storage errors.
 */
export function writeSidecar(
  path: string,
  work: {
    readonly metadata: BookMetadata
    readonly pages: number
    readonly missing: readonly MissingPage[]
  },
): void {
  const missing = work.missing.map(({ number, label, url, error }) => ({
    number,
    label,
    url,
    code: error.code,
  }))
  const extension = Object.values(containerExtensions).find((one) => one !== '' && path.endsWith(one)) ?? ''
  const target = freeForSidecar(`${path.slice(0, path.length - extension.length)}.json`)
  try {
    writeFileSync(target, `${JSON.stringify({ ...work.metadata, pages: work.pages, missing }, null, 2)}\n`)
  } catch (error) {
    throw storageError(error, { path: target, doing: 'write' })
  }
}

function freeForSidecar(wanted: string): string {
  for (let number = 0; ; number++) {
    const path = number === 0 ? wanted : withNumber(wanted, number)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found || (found.isFile() && isSidecar(path))) return path
  }
}

/** Sidecars are on no record: they are known by what they hold. */
function isSidecar(path: string): boolean {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return (
      typeof found === 'object' &&
      found !== null &&
      ['title', 'pages', 'missing'].every((key) => key in found)
    )
  } catch {
    return false
  }
}

/** An incomplete container of ours is of no use beside the whole one. */
export function removeSuperseded(
  made: readonly { readonly format: string; readonly path: string }[],
  rules: Pick<NamingRules, 'dir' | 'ours'>,
): void {
  for (const old of rules.ours) {
    const path = absoluteOf(old.path, rules.dir)
    const isReplaced = made.some((one) => one.format === old.format) && made.every((one) => one.path !== path)
    if (isReplaced && basename(path).includes(' [incomplete]') && stands(old, rules.dir)) {
      rmSync(path, { recursive: true, force: true })
    }
  }
}
