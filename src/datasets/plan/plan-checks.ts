import { TrawlError } from '../../core/index.ts'
import { reservedColumns } from '../layout/columns.ts'
import { hashOf, type PlanManifest } from './manifest.ts'

/** Throws ERR_CONFIG_INVALID where a saved column has the name of one that the outputs or the plan have anyway. */
export function checkSaveColumns(options: {
  readonly urlCol: string
  readonly saveColumns?: readonly string[]
}): void {
  const seen = new Set<string>()
  for (const column of options.saveColumns ?? []) {
    const folded = column.toLowerCase()
    if (reservedColumns.has(folded) || folded === options.urlCol.toLowerCase()) {
      throw new TrawlError(
        'ERR_CONFIG_INVALID',
        `saveColumns: '${column}' is a column that the outputs have anyway`,
        { context: { field: 'saveColumns' }, hint: 'Rename the column in the table, or leave it out.' },
      )
    }
    if (folded.startsWith('__trawl_')) {
      throw new TrawlError(
        'ERR_CONFIG_INVALID',
        `saveColumns: '${column}' is a name that the plan uses itself`,
        {
          context: { field: 'saveColumns' },
          hint: 'Rename the column in the table, or leave it out.',
        },
      )
    }
    if (seen.has(folded)) {
      throw new TrawlError('ERR_CONFIG_INVALID', `saveColumns: '${column}' is named twice`, {
        context: { field: 'saveColumns' },
      })
    }
    seen.add(folded)
  }
}

/** Throws ERR_PLAN_MISMATCH where the outputs of a folder were planned with other settings. */
export function checkSameDataset(
  existing: PlanManifest,
  wanted: Pick<
    PlanManifest,
    'shardSize' | 'shardDigits' | 'urlCol' | 'captionCol' | 'saveColumns' | 'settings'
  >,
): void {
  const differing = [
    ...(['shardSize', 'shardDigits', 'urlCol', 'captionCol', 'saveColumns'] as const).filter(
      (name) => hashOf(existing[name]) !== hashOf(wanted[name]),
    ),
    ...[...new Set([...Object.keys(existing.settings), ...Object.keys(wanted.settings)])].filter(
      (name) => hashOf(existing.settings[name] ?? null) !== hashOf(wanted.settings[name] ?? null),
    ),
  ]
  if (differing.length === 0) return
  throw new TrawlError(
    'ERR_PLAN_MISMATCH',
    `the folder holds a dataset of another plan: ${differing.join(', ')} changed`,
    { context: { field: differing[0] ?? '' } },
  )
}
