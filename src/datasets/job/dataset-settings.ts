import type { DatasetCommandOptions } from '../../config/index.ts'
import type { SampleOrder } from '../../images/index.ts'
import type { PlanColumn, PlanManifest, PlanOptions, PlanSetting } from '../plan/index.ts'
import type { SampleLayout } from '../samples/index.ts'

/** The options that decide what the outputs are. They are planned once; all workers take them from the plan. */
const planned = [
  'imageSizePx',
  'resizeMode',
  'resizeOnlyIfBigger',
  'upscaleInterpolation',
  'downscaleInterpolation',
  'encodeFormat',
  'encodeQuality',
  'reencode',
  'orient',
  'minImageSizePx',
  'maxImageAreaPx',
  'maxAspectRatio',
  'extractExif',
  'phash',
  'computeHash',
  'verifyHash',
  'bboxCol',
  'outputFormat',
  'folderSize',
  'nameFormat',
  'parquetImages',
  'tarIndex',
  'robots',
  'userAgentToken',
  'disallowedDirectives',
] as const satisfies readonly (keyof DatasetCommandOptions)[]

/** What workers do with each row. */
export type DatasetSettings = Pick<DatasetCommandOptions, (typeof planned)[number]>

/** The plan that the options of a command ask for. */
export function planOptionsOf(
  options: DatasetCommandOptions,
  tables: readonly string[],
  out: string,
): PlanOptions {
  const { inputFormat, captionCol, where, shuffleSeed, slice } = options
  return {
    tables,
    out,
    urlCol: options.urlCol,
    saveColumns: columnsOf(options),
    dedup: options.dedup,
    shardSize: options.shardSize,
    shardDigits: options.shardDigits,
    incremental: options.incremental,
    durability: options.durability,
    settings: settingsOf(options),
    ...(inputFormat === undefined ? {} : { inputFormat }),
    ...(captionCol === undefined ? {} : { captionCol }),
    ...(where === undefined ? {} : { where }),
    ...(shuffleSeed === undefined ? {} : { shuffleSeed }),
    ...(slice === undefined ? {} : { slice }),
  }
}

/** The columns that are asked for, and those that other options need. */
function columnsOf(options: DatasetCommandOptions): string[] {
  const { saveColumns, bboxCol, nameFormat } = options
  const needed = [
    bboxCol,
    verifiedColumn(options),
    nameFormat.startsWith('column:') ? nameFormat.slice('column:'.length) : undefined,
  ]
  const columns = [...saveColumns, ...needed.filter((name) => name !== undefined)]
  // A column that is named twice among the saved ones is told by the planner.
  return columns.filter((name, i) => i < saveColumns.length || columns.indexOf(name) === i)
}

/** The column with the digest that the original must have. */
export function verifiedColumn({ verifyHash }: Pick<DatasetSettings, 'verifyHash'>): string | undefined {
  return verifyHash?.slice(0, verifyHash.lastIndexOf(':'))
}

function settingsOf(options: DatasetCommandOptions): { readonly [key: string]: PlanSetting } {
  const settings: Record<string, PlanSetting> = {}
  for (const name of planned) {
    const value = options[name]
    if (value !== undefined) settings[name] = value
  }
  settings['encodeQuality'] ??= options.encodeFormat === 'png' ? 6 : 95
  return settings
}

/** The settings that a plan was made with. */
export function plannedSettings(manifest: PlanManifest): DatasetSettings {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `planOptionsOf` alone
  return manifest.settings as unknown as DatasetSettings
}

/** How shards with these columns are laid out. */
export function layoutOf(manifest: PlanManifest, columns: readonly PlanColumn[]): SampleLayout {
  const settings = plannedSettings(manifest)
  const { folderSize, nameFormat, outputFormat } = settings
  return {
    outputFormat,
    encodeFormat: settings.encodeFormat,
    captions: manifest.captionCol !== null,
    columns,
    digest: settings.computeHash,
    exif: settings.extractExif,
    phash: settings.phash,
    parquetImages: settings.parquetImages,
    tarIndex: settings.tarIndex,
    ...(outputFormat === 'files' ? { nameFormat } : {}),
    ...(folderSize === undefined ? {} : { folderSize }),
  }
}

/** What becomes of each image. */
export function sampleOrderOf(settings: DatasetSettings): SampleOrder {
  const { maxImageAreaPx, maxAspectRatio } = settings
  return {
    sizePx: settings.imageSizePx,
    mode: settings.resizeMode,
    onlyIfBigger: settings.resizeOnlyIfBigger,
    encode: settings.encodeFormat,
    quality: settings.encodeQuality ?? 95,
    upscale: settings.upscaleInterpolation,
    downscale: settings.downscaleInterpolation,
    orient: settings.orient,
    keepOriginalIfUntouched: settings.reencode === 'if-needed',
    minImageSizePx: settings.minImageSizePx,
    exif: settings.extractExif,
    phash: settings.phash,
    ...(maxImageAreaPx === undefined ? {} : { maxImageAreaPx }),
    ...(maxAspectRatio === undefined ? {} : { maxAspectRatio }),
  }
}
