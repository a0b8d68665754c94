import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formats, TrawlError } from '../../core/index.ts'
import { storageError, type Durability } from '../../storage/index.ts'
import { writeWhole } from '../layout/write-whole.ts'
import type { ColumnType, TableFingerprint } from '../tables/index.ts'

/** A value that a manifest carries for the workers. */
export type PlanSetting =
  | string
  | number
  | boolean
  | null
  | readonly PlanSetting[]
  | { readonly [key: string]: PlanSetting }

/** A further column of the rows. */
export interface PlanColumn {
  readonly name: string
  readonly type: ColumnType
}

/** A file with planned rows, in plan order. */
export interface PlanFile {
  /** Relative to the folder of the manifest. */
  readonly path: string
  readonly rows: number
}

/** What was planned in one go: the tables and how rows were chosen from them. A plan that is extended has several. */
export interface PlanPart {
  /** SHA-256 over all that decides which rows are in it. */
  readonly hash: string
  readonly firstShard: number
  readonly shardCount: number
  /** Rows planned; those with a problem included. */
  readonly rowCount: number
  /** Rows that the tables hold; more than `rowCount` where a filter, dedup or slice left some out. */
  readonly readCount: number
  /** Planned rows that cannot be fetched, because they could not be parsed or have no URL. */
  readonly problemCount: number
  readonly choice: RowChoice
  readonly inputs: readonly TableFingerprint[]
  readonly columns: readonly PlanColumn[]
  readonly files: readonly PlanFile[]
}

/** Which rows of the tables are planned, and in which order. */
export interface RowChoice {
  readonly where?: string
  readonly dedup: 'none' | 'url'
  readonly shuffleSeed?: number
  readonly slice?: number
}

/** `DIR/.trawl/plan/manifest.json`: all that workers need to know. */
export interface PlanManifest {
  readonly format: 'trawl-shard-plan'
  readonly version: number
  /** SHA-256 over the settings and the hashes of all parts. */
  readonly configHash: string
  readonly shardSize: number
  readonly shardDigits: number
  readonly shardCount: number
  readonly rowCount: number
  readonly urlCol: string
  readonly captionCol: string | null
  readonly saveColumns: readonly string[]
  /** What the planner was given for the workers, such as image size and output format. */
  readonly settings: { readonly [key: string]: PlanSetting }
  readonly parts: readonly PlanPart[]
}

/** The folder of the plan, relative to the output folder. */
export const planFolder = '.trawl/plan'

/** The path of the manifest below an output folder. */
export function manifestPath(out: string): string {
  return join(out, planFolder, 'manifest.json')
}

/**
 * The manifest of an output folder; undefined where there is none. Throws ERR_FORMAT_NEWER, ERR_INPUT_INVALID where
 * the file is damaged, and storage errors.
 */
export function readManifest(out: string): PlanManifest | undefined {
  const path = manifestPath(out)
  if (!existsSync(path)) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
  return parseManifest(text, path)
}

/** The manifest in a text; `path` is for messages. Throws ERR_FORMAT_NEWER, ERR_INPUT_INVALID. */
function parseManifest(text: string, path: string): PlanManifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw damaged(path, 'it is not JSON', error)
  }
  if (typeof value !== 'object' || value === null || !('version' in value) || !('parts' in value)) {
    throw damaged(path, 'it has no version and parts')
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file; its version is checked below
  const manifest = value as PlanManifest
  if (manifest.format !== 'trawl-shard-plan') throw damaged(path, 'it is not a shard plan')
  if (manifest.version > formats.shardPlan) {
    throw new TrawlError(
      'ERR_FORMAT_NEWER',
      `${path}: a shard plan of version ${manifest.version}; this trawl reads up to ${formats.shardPlan}`,
      { context: { path } },
    )
  }
  return manifest
}

/** Writes the manifest whole. Throws storage errors. */
export function writeManifest(out: string, manifest: PlanManifest, durability: Durability): void {
  const path = manifestPath(out)
  mkdirSync(dirname(path), { recursive: true })
  writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`, durability)
}

/** SHA-256, as hex, of a value as JSON with sorted keys. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex')
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

function damaged(path: string, reason: string, cause?: unknown): TrawlError {
  return new TrawlError('ERR_INPUT_INVALID', `${path}: not a usable shard plan: ${reason}`, {
    cause,
    context: { path },
    hint: 'Plan again with --incremental overwrite, or restore the file.',
  })
}
