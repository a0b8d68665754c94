import { parseMoment } from '../config/index.ts'
import type { DownloadTask } from '../core/index.ts'
import { hostOf, ReuseFolders, type EntityFilter, type FolderDestinationOptions } from '../engine/index.ts'
import type { GetSpec } from './get-spec.ts'

/**
 * What the options of a get job say about files: which are wanted, and what becomes of those that are there. Throws
 * ERR_INPUT_UNREADABLE for a --reuse folder that is none, ERR_FORMAT_NEWER, storage errors.
 */
export function destinationOptions({
  options,
  optionsOf,
}: GetSpec): Omit<FolderDestinationOptions, 'folder' | 'nameOf'> {
  const { onExists, acceptHtml, remoteTime, update, name, reuse, reuseBy, reuseLink } = options
  return {
    onExists,
    acceptHtml,
    remoteTime,
    update,
    ...filterOf({ options, optionsOf }),
    ...(optionsOf
      ? { bodyLimitsOf: (task) => ({ acceptHtml: optionsOf(hostOfTask(task)).acceptHtml }) }
      : {}),
    ...(name === undefined ? {} : { template: name }),
    ...(reuse.length === 0
      ? {}
      : {
          reuse: {
            folders: new ReuseFolders(reuse),
            bySample: reuseBy === 'sample',
            asLink: reuseLink,
          },
        }),
  }
}

/** Sizes and ages that are not wanted; hosts may differ in sizes. */
function filterOf({
  options,
  optionsOf,
}: Pick<GetSpec, 'options'> & {
  readonly optionsOf: GetSpec['optionsOf'] | undefined
}): Pick<FolderDestinationOptions, 'filterOf'> {
  const { newerThan, olderThan } = options
  const now = Date.now()
  const newerThanMs = newerThan === undefined ? undefined : parseMoment(newerThan, now)
  const olderThanMs = olderThan === undefined ? undefined : parseMoment(olderThan, now)
  const filterBy = ({ maxSizeBytes, minSizeBytes }: Sizes): EntityFilter => ({
    ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
    ...(minSizeBytes === undefined ? {} : { minSizeBytes }),
    ...(newerThanMs === undefined ? {} : { newerThanMs }),
    ...(olderThanMs === undefined ? {} : { olderThanMs }),
  })
  const common = filterBy(options)
  if (optionsOf) return { filterOf: (task) => filterBy(optionsOf(hostOfTask(task))) }
  return Object.keys(common).length === 0 ? {} : { filterOf: () => common }
}

type Sizes = Pick<GetSpec['options'], 'maxSizeBytes' | 'minSizeBytes'>

/** The host whose options hold for a task: that of its first address. */
function hostOfTask({ locator }: DownloadTask): string {
  return locator.kind === 'source' ? locator.source : hostOf(locator.places[0]?.url ?? '')
}
