import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, decimal, duration, integer, list, pattern, text, toggle } from '../kinds.ts'
import { delayRange } from '../special-kinds.ts'

const interpolations = ['nearest', 'linear', 'cubic', 'area', 'lanczos'] as const

function tableFields() {
  return {
    inputFormat: field(choice(['csv', 'tsv', 'jsonl', 'json', 'parquet', 'arrow', 'list']), {
      description: 'Format of the tables; list is one URL a line.',
      unset: 'by the names of the files',
    }),
    urlCol: field(text('COLUMN'), { description: 'Column with the image URLs.', default: 'url' }),
    captionCol: field(text('COLUMN'), { description: 'Column with the captions.', unset: 'no captions' }),
    saveColumns: field(list(text('COLUMNS', 'column names'), { separator: ',' }), {
      description: 'Further columns to keep with each image.',
      default: [],
    }),
    bboxCol: field(text('COLUMN'), {
      description: 'Column with boxes ([x0,y0,x1,y1] from 0 to 1) that are blurred.',
    }),
    where: field(text('SQL'), {
      description: 'SQL condition over the columns; other rows are left out of the plan.',
    }),
    slice: field(integer({ min: 1 }), {
      description: 'Only so many rows: the first ones after --where, --dedup and --shuffle-seed.',
      unset: 'all rows',
    }),
    dedup: field(choice(['none', 'url']), {
      description: 'Leave rows out of the plan whose URL came before.',
      default: 'none',
    }),
    shuffleSeed: field(integer({ min: 0, max: 2 ** 32 - 1 }), {
      description: 'Shuffle the rows; the same seed gives the same order.',
      unset: 'the order of the table',
    }),
  }
}

function pictureFields() {
  return {
    imageSizePx: field(integer({ min: 1, max: 65_535 }), {
      description: 'Size of the images; what it means depends on --resize-mode.',
      default: 256,
      placeholder: 'PX',
    }),
    resizeMode: field(choice(['no', 'border', 'keep_ratio', 'keep_ratio_largest', 'center_crop']), {
      description:
        'no; border: longest side, then a white square; keep_ratio: shortest side; keep_ratio_largest: longest side; center_crop: shortest side, then the middle square.',
      default: 'border',
    }),
    resizeOnlyIfBigger: field(toggle, { description: 'Leave smaller images as they are.', default: false }),
    upscaleInterpolation: field(choice(interpolations), {
      description: 'Interpolation when images grow.',
      default: 'lanczos',
    }),
    downscaleInterpolation: field(choice(interpolations), {
      description: 'Interpolation when images shrink.',
      default: 'area',
    }),
    encodeFormat: field(choice(['jpg', 'png', 'webp']), {
      description: 'Format of the images.',
      default: 'jpg',
    }),
    encodeQuality: field(integer({ min: 0, max: 100 }), {
      description: 'Quality from 0 to 100; for png the compression from 0 to 9.',
      unset: '95; 6 for png',
    }),
    orient: field(toggle, {
      description: 'Turn images as their EXIF data says.',
      off: 'Leave images as they lie, whatever their EXIF data says.',
      default: true,
    }),
    reencode: field(choice(['always', 'if-needed', 'never']), {
      description:
        'if-needed keeps the bytes of images that need no change; never keeps all bytes, and then nothing is resized.',
      default: 'always',
    }),
  }
}

function judgementFields() {
  return {
    minImageSizePx: field(integer({ min: 0 }), {
      description: 'Leave out images whose shorter side is less.',
      default: 0,
      placeholder: 'PX',
    }),
    maxImageAreaPx: field(integer({ min: 1 }), {
      description: 'Leave out images with more pixels than this.',
      unset: 'any area',
      placeholder: 'PIXELS',
    }),
    maxAspectRatio: field(decimal({ min: 1 }), {
      description: 'Leave out images whose longer side is more than this many times the shorter.',
      unset: 'any ratio',
    }),
    extractExif: field(toggle, {
      description: 'Keep the EXIF data as JSON.',
      off: 'Do not keep the EXIF data.',
      default: true,
    }),
    phash: field(toggle, { description: 'Compute a perceptual hash of each image.', default: false }),
    computeHash: field(choice(['none', 'md5', 'sha256', 'sha512']), {
      description: 'Digest of the original bytes, kept with each image.',
      default: 'sha256',
    }),
    verifyHash: field(
      pattern(
        'COLUMN:TYPE',
        /^.+:(md5|sha256|sha512)$/,
        'a column and md5, sha256 or sha512, such as hash:md5',
      ),
      {
        description: 'Column with the digest that the original bytes must have, such as hash:md5.',
      },
    ),
  }
}

function shardFields() {
  return {
    outputFormat: field(choice(['files', 'webdataset', 'parquet']), {
      description: 'Folders of files, tar shards, or Parquet shards with the bytes.',
      default: 'files',
    }),
    shardSize: field(integer({ min: 1, max: 10_000_000 }), {
      description: 'Rows in one shard.',
      default: 10_000,
    }),
    shardDigits: field(integer({ min: 1, max: 12 }), {
      description: 'Digits of shard names (oom_shard_count of img2dataset).',
      default: 5,
    }),
    folderSize: field(integer({ min: 1 }), {
      description: 'Files in one folder, for the output format files.',
      unset: 'one folder for each shard',
    }),
    nameFormat: field(
      checked(
        'key|url|random|column:NAME',
        (given) => /^(key|url|random|column:.+)$/.test(given),
        'key, url, random or column:NAME',
      ),
      { description: 'How files are named, for the output format files.', default: 'key' },
    ),
    parquetImages: field(choice(['bytes', 'struct']), {
      description:
        'Images in Parquet shards: a column of bytes named after the format, or a struct that Hugging Face shows.',
      default: 'bytes',
    }),
    tarIndex: field(toggle, {
      description: 'Write an index (.idx, as DALI reads it) beside each tar.',
      default: false,
    }),
    incremental: field(choice(['incremental', 'extend', 'overwrite']), {
      description: 'When the folder holds a dataset: go on with it, add new shards after it, or start anew.',
      default: 'incremental',
    }),
  }
}

function runFields() {
  return {
    delay: field(delayRange, {
      description: 'Random pause between two requests of one worker, such as 1-4 seconds.',
      unset: 'none',
    }),
    totalTimeoutMs: field(duration, {
      description: 'Longest time for one image, from the headers to the last byte.',
      default: 120_000,
    }),
    hostPatienceMs: field(duration, {
      description:
        'A host that refuses everything or does not answer for so long is not asked for as long again.',
      default: 600_000,
    }),
    queue: field(pattern('local|redis://...', /^(local|rediss?:\/\/\S+)$/, 'local or a redis: URL'), {
      description: 'Where workers on several machines get their shards.',
      default: 'local',
    }),
    userAgentToken: field(pattern('TOKEN', /^[\w.-]+$/, 'a word such as mybot'), {
      description:
        'Name of your crawler: added to the User-Agent, and obeyed in robots.txt and X-Robots-Tag.',
    }),
    disallowedDirectives: field(list(text('WORDS', 'words'), { separator: ',' }), {
      description: 'Words of X-Robots-Tag that leave an image out; an empty value allows all.',
      default: ['noai', 'noimageai', 'noindex', 'noimageindex'],
    }),
    prometheusPort: field(integer({ min: 1, max: 65_535 }), {
      description: 'Serve metrics for Prometheus on this port of 127.0.0.1.',
      unset: 'no metrics',
      placeholder: 'PORT',
    }),
  }
}

/** Images from tables. */
export const datasetGroup = defineGroup({
  name: 'dataset',
  title: 'Datasets',
  about: 'Images from tables: which rows, how images change, how shards are made.',
  fields: () => ({
    ...tableFields(),
    ...pictureFields(),
    ...judgementFields(),
    ...shardFields(),
    ...runFields(),
  }),
  check(values) {
    if (values.encodeFormat === 'png' && (values.encodeQuality ?? 0) > 9) {
      return { name: 'encodeQuality', message: 'must be from 0 to 9 for png' }
    }
    const verified = values.verifyHash?.slice(values.verifyHash.lastIndexOf(':') + 1)
    if (verified !== undefined && verified !== values.computeHash) {
      return { name: 'verifyHash', message: `needs --compute-hash ${verified}` }
    }
    if (values.reencode === 'never' && values.bboxCol !== undefined) {
      return { name: 'bboxCol', message: 'cannot blur while --reencode is never' }
    }
    return undefined
  },
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type DatasetOptions = OptionsOf<typeof datasetGroup>
