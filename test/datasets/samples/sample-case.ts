import { TrawlError } from '../../../src/core/index.ts'
import type { ShardRow } from '../../../src/datasets/plan/index.ts'
import {
  failedSample,
  goodSample,
  type Sample,
  type SampleImage,
  type SampleLayout,
  type SampleRun,
} from '../../../src/datasets/samples/index.ts'

/** A JPEG of 8 x 8 grey pixels. */
export const tinyJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z',
  'base64',
)

export const layout: SampleLayout = {
  outputFormat: 'webdataset',
  encodeFormat: 'jpg',
  captions: true,
  columns: [
    { name: 'n', type: 'int64' },
    { name: 'boxes', type: 'json' },
  ],
  digest: 'sha256',
  exif: true,
  phash: false,
}

export function row(index: number, patch: Partial<ShardRow> = {}): ShardRow {
  return {
    key: `0000${String(index).padStart(2, '0')}`,
    index,
    url: `http://host${index % 3}.test/images/photo-${index}.tar.jpg?x=1`,
    caption: index % 4 === 3 ? null : `caption ${index} é`,
    columns: { n: BigInt(index) + 2n ** 60n, boxes: index % 2 === 0 ? '[[0,0.5,1,1]]' : null },
    ...patch,
  }
}

/** Every fifth row fails, in turn for want of a server and for a damaged image. */
export function sample(index: number, image: SampleImage = imageOf(index)): Sample {
  if (index % 10 === 4) {
    return failedSample(
      row(index),
      new TrawlError('ERR_HTTP_NOT_FOUND', 'gone', { context: { status: 404 } }),
    )
  }
  if (index % 10 === 9)
    return failedSample(row(index), new TrawlError('ERR_IMAGE_DAMAGED', 'damaged at byte 7'))
  return goodSample(row(index), image, imageOf(index).length, {
    widthPx: 8,
    heightPx: 8,
    originalWidthPx: 16,
    originalHeightPx: 16,
    exif: '{"Orientation":1}',
    digest: 'ab'.repeat(32),
    httpStatus: 200,
    finalUrl: `http://host${index % 3}.test/final/${index}`,
    contentType: 'image/jpeg',
    originalFormat: 'jpeg',
    originalBytes: 1000 + index,
  })
}

export function imageOf(index: number): Buffer {
  return Buffer.concat([tinyJpeg, Buffer.from(`trailer ${index}`)])
}

export function run(index: number): SampleRun {
  return {
    attempts: 1 + (index % 2),
    startedAtMs: 1_700_000_000_000 + index * 100,
    durationMs: 50,
    fetchedBytes: 1000,
  }
}
