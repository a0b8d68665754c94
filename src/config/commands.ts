import { bookGroup } from './groups/book.ts'
import { compareGroup } from './groups/compare.ts'
import { concurrencyGroup } from './groups/concurrency.ts'
import { configGroup } from './groups/config.ts'
import { datasetGroup } from './groups/dataset.ts'
import { hooksGroup } from './groups/hooks.ts'
import { imagesGroup } from './groups/images.ts'
import { inputGroup } from './groups/input.ts'
import { integrityGroup } from './groups/integrity.ts'
import { logGroup } from './groups/log.ts'
import { namingGroup } from './groups/naming.ts'
import { networkGroup } from './groups/network.ts'
import { outputGroup } from './groups/output.ts'
import { packGroup } from './groups/pack.ts'
import { rerunGroup } from './groups/rerun.ts'
import { retryGroup } from './groups/retry.ts'
import type { InputOf, OptionsOf } from './group.ts'

type Joined<T> = { readonly [K in keyof T]: T[K] }
type Intersection<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void
  ? I
  : never

/** The options of several groups in one flat object. */
export type OptionsOfGroups<G extends readonly unknown[]> = Joined<Intersection<OptionsOf<G[number]>>>

/** What callers may give for several groups. */
export type InputOfGroups<G extends readonly unknown[]> = Joined<Intersection<InputOf<G[number]>>>

/** Groups of `trawl get`. */
export const getGroups = [
  inputGroup,
  outputGroup,
  rerunGroup,
  namingGroup,
  concurrencyGroup,
  networkGroup,
  retryGroup,
  integrityGroup,
  hooksGroup,
  logGroup,
  configGroup,
] as const

/** Groups of `trawl book`. */
export const bookGroups = [
  bookGroup,
  packGroup,
  imagesGroup,
  outputGroup,
  namingGroup,
  concurrencyGroup,
  networkGroup,
  retryGroup,
  hooksGroup,
  logGroup,
  configGroup,
] as const

/** Groups of `trawl dataset`. */
export const datasetGroups = [
  datasetGroup,
  outputGroup,
  concurrencyGroup,
  networkGroup,
  retryGroup,
  logGroup,
  configGroup,
] as const

/** Groups of `trawl pack`. */
export const packGroups = [
  packGroup,
  imagesGroup,
  bookGroup,
  outputGroup,
  namingGroup,
  logGroup,
  configGroup,
] as const

/** Groups of `trawl compare`. */
export const compareGroups = [
  compareGroup,
  outputGroup,
  concurrencyGroup,
  networkGroup,
  retryGroup,
  logGroup,
  configGroup,
] as const

/** Groups of commands that only look: `verify`, `status`, `clean`, `sites`. */
export const lookGroups = [outputGroup, logGroup, configGroup] as const

/** Groups of `trawl verify`: of containers it takes the password alone. */
export const verifyGroups = [...lookGroups, packGroup] as const

/** The groups that say which configuration files count. */
export const configGroups = [configGroup] as const

/** Every group once, in the order of the documentation. */
export const allGroups = [
  inputGroup,
  outputGroup,
  rerunGroup,
  namingGroup,
  concurrencyGroup,
  networkGroup,
  retryGroup,
  integrityGroup,
  hooksGroup,
  bookGroup,
  imagesGroup,
  packGroup,
  datasetGroup,
  compareGroup,
  logGroup,
  configGroup,
] as const

/** Resolved options of `trawl get`. */
export type GetOptions = OptionsOfGroups<typeof getGroups>
/** What callers may give for `get`. */
export type GetInput = InputOfGroups<typeof getGroups>
/** Resolved options of `trawl book`. */
export type BookCommandOptions = OptionsOfGroups<typeof bookGroups>
/** What callers may give for `book`. */
export type BookInput = InputOfGroups<typeof bookGroups>
/** Resolved options of `trawl dataset`. */
export type DatasetCommandOptions = OptionsOfGroups<typeof datasetGroups>
/** What callers may give for `dataset`. */
export type DatasetInput = InputOfGroups<typeof datasetGroups>
/** Resolved options of `trawl pack`. */
export type PackCommandOptions = OptionsOfGroups<typeof packGroups>
/** Resolved options of `trawl compare`. */
export type CompareCommandOptions = OptionsOfGroups<typeof compareGroups>
/** Resolved options of commands that only look. */
export type LookOptions = OptionsOfGroups<typeof lookGroups>

/** A command with options: its groups, and the options of them that mean nothing to it. */
export interface CommandOptions {
  readonly groups: readonly (typeof allGroups)[number][]
  /** Resolved names that get no flag here. */
  readonly without: readonly string[]
}

const notWhileLooking = [
  'out',
  'onExists',
  'durability',
  'maxSizeBytes',
  'minSizeBytes',
  'remoteTime',
  'acceptHtml',
  'reuse',
  'state',
  'stateDir',
]
const fetchOnlyBook = [
  'chapters',
  'by',
  'printFields',
  'archive',
  'source',
  'sourceOptions',
  'jobs',
  'imageList',
  'language',
]

/** Commands by the name of their block in configuration files. */
export const commands = {
  get: { groups: getGroups, without: [] },
  book: {
    groups: bookGroups,
    without: ['smallFirst', 'acceptHtml', 'remoteTime', 'reuse', 'openPasswordFile', 'minSizeBytes'],
  },
  dataset: {
    groups: datasetGroups,
    without: ['out', 'onExists', 'remoteTime', 'acceptHtml', 'reuse', 'smallFirst', 'minSizeBytes'],
  },
  pack: {
    groups: packGroups,
    without: [
      ...fetchOnlyBook,
      'maxSizeBytes',
      'minSizeBytes',
      'remoteTime',
      'acceptHtml',
      'reuse',
      'report',
      'state',
      'stateDir',
      'verbose',
      'progress',
    ],
  },
  compare: {
    groups: compareGroups,
    without: ['mode', 'out', 'onExists', 'startAt', 'between', 'dryRun', 'reuse', 'report', 'progress'],
  },
  verify: {
    groups: verifyGroups,
    without: [
      ...notWhileLooking,
      'dir',
      'dryRun',
      'progress',
      'formats',
      'pdfA',
      'dpi',
      'pageSize',
      'sidecar',
      'openPasswordFile',
    ],
  },
  retry: { groups: getGroups, without: ['inputFile', 'followMetalink', 'out', 'checksum', 'update'] },
  status: { groups: lookGroups, without: [...notWhileLooking, 'report', 'dryRun', 'verbose', 'progress'] },
  clean: { groups: lookGroups, without: [...notWhileLooking, 'dir', 'report', 'verbose', 'progress'] },
} satisfies Record<string, CommandOptions>

/** A command that has a block of its own in configuration files. */
export type CommandName = keyof typeof commands
