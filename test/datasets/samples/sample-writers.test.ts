import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openParquet } from '../../../src/datasets/parquet/index.ts'
import {
  createSampleWriter,
  type SampleLayout,
  type WrittenFile,
} from '../../../src/datasets/samples/index.ts'
import { openTar } from '../../../src/pack/index.ts'
import { describeSampleWriterContract } from '../../contract/sample-writer.ts'
import { tempFolder } from '../temp-folder.ts'
import { imageOf, layout, row, sample, tinyJpeg } from './sample-case.ts'

type Members = Map<string, Buffer>

function tarMembers(path: string): Members {
  const tar = openTar(path)
  const members: Members = new Map()
  for (const member of tar.members()) members.set(member.name, tar.read(member))
  tar.close()
  return members
}

function jpegs(members: Members): Members {
  return new Map(
    [...members]
      .filter(([name]) => name.endsWith('.jpg'))
      .map(([name, bytes]) => [basename(name, '.jpg'), bytes]),
  )
}

async function parquetImages(
  files: readonly WrittenFile[],
  bytesOf: (row: Record<string, unknown>) => unknown,
): Promise<Members> {
  const file = await openParquet(files[0]?.path ?? '')
  const rows = await file.read()
  await file.close()
  const found = rows.map((r) => [String(r['key']), bytesOf(r)] as const)
  return new Map(
    found.flatMap(([key, bytes]) => (bytes instanceof Uint8Array ? [[key, Buffer.from(bytes)]] : [])),
  )
}

const withLayout = (patch: Partial<SampleLayout>) => (folder: string) =>
  createSampleWriter(folder, '00000', { ...layout, ...patch })

describeSampleWriterContract('webdataset', {
  create: withLayout({ tarIndex: true }),
  sample,
  image: imageOf,
  readBack: async (files) => jpegs(tarMembers(files[0]?.path ?? '')),
})

describeSampleWriterContract('parquet', {
  create: withLayout({ outputFormat: 'parquet' }),
  sample,
  image: imageOf,
  readBack: (files) => parquetImages(files, (r) => r['jpg']),
})

describeSampleWriterContract('parquet with structs', {
  create: withLayout({ outputFormat: 'parquet', parquetImages: 'struct' }),
  sample,
  image: imageOf,
  readBack: (files) =>
    parquetImages(files, (r) => {
      const image = r['image']
      return typeof image === 'object' && image !== null && 'bytes' in image ? image.bytes : null
    }),
})

function filesIn(files: readonly WrittenFile[]): Members {
  return new Map(
    files.flatMap(({ path }) =>
      readdirSync(path).map((name) => [name, readFileSync(join(path, name))] as const),
    ),
  )
}

describeSampleWriterContract('files', {
  create: withLayout({ outputFormat: 'files' }),
  sample,
  image: imageOf,
  readBack: async (files) => jpegs(filesIn(files)),
})

describeSampleWriterContract('files in small folders', {
  create: withLayout({ outputFormat: 'files', folderSize: 3 }),
  sample,
  image: imageOf,
  readBack: async (files) => jpegs(filesIn(files)),
})

describe('webdataset', () => {
  it('writes the same members for every sample, sorted by extension, with an index of their offsets', async () => {
    const writer = await createSampleWriter(tempFolder(), '00000', { ...layout, tarIndex: true })
    for (const index of [0, 3, 4]) await writer.add(sample(index))
    const [tar, index] = await writer.finish()
    expect([...tarMembers(tar?.path ?? '').keys()]).toEqual([
      '000000.jpg',
      '000000.json',
      '000000.txt',
      '000003.jpg',
      '000003.json',
      '000003.txt',
    ])
    const bytes = readFileSync(tar?.path ?? '')
    const [head, ...lines] = readFileSync(index?.path ?? '', 'utf8')
      .trimEnd()
      .split('\n')
    expect(head).toBe('v1.2 2')
    const [extension, offset, size, name] = lines[1]?.split(' ') ?? []
    expect([extension, name]).toEqual(['jpg', '000003.jpg'])
    expect(bytes.subarray(Number(offset), Number(offset) + Number(size)).equals(imageOf(3))).toBe(true)
  })

  it('puts the columns of img2dataset into the json, whole numbers and JSON as they are', async () => {
    const writer = await createSampleWriter(tempFolder(), '00000', layout)
    await writer.add(sample(0))
    const [tar] = await writer.finish()
    const members = tarMembers(tar?.path ?? '')
    expect(members.get('000000.json')?.toString()).toBe(
      `{"n": 1152921504606846976, "boxes": [[0,0.5,1,1]], "caption": "caption 0 é", ` +
        `"url": "${row(0).url}", "key": "000000", "status": "success", "error_message": null, "width": 8, ` +
        `"height": 8, "original_width": 16, "original_height": 16, "exif": "{\\"Orientation\\":1}", ` +
        `"sha256": "${'ab'.repeat(32)}"}`,
    )
    expect(members.get('000000.txt')?.toString()).toBe('caption 0 é')
  })

  it('orders members of other formats by extension too, and leaves captions out where there are none', async () => {
    const writer = await createSampleWriter(tempFolder(), '00000', {
      ...layout,
      encodeFormat: 'webp',
      captions: false,
    })
    await writer.add(sample(0))
    const [tar] = await writer.finish()
    expect([...tarMembers(tar?.path ?? '').keys()]).toEqual(['000000.json', '000000.webp'])
  })
})

describe('parquet', () => {
  it('has the image column of img2dataset behind its columns, and ours behind that', async () => {
    const writer = await createSampleWriter(tempFolder(), '00000', { ...layout, outputFormat: 'parquet' })
    await writer.add(sample(0))
    const [written] = await writer.finish()
    const file = await openParquet(written?.path ?? '')
    await file.close()
    expect(file.columns.join(' ')).toBe(
      'n boxes caption url key status error_message width height original_width original_height exif sha256 jpg ' +
        'error_code http_status final_url content_type original_format original_bytes image_bytes',
    )
  })

  it('cuts row groups by bytes, so that memory stays flat', async () => {
    const big = Buffer.alloc(12 * 1024 * 1024, tinyJpeg)
    const folder = tempFolder()
    const writer = await createSampleWriter(folder, '00000', { ...layout, outputFormat: 'parquet' })
    for (const index of [0, 1, 2, 3, 5]) await writer.add({ ...sample(index), image: big })
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).size)).toEqual([
      expect.closeTo(36 * 1024 * 1024, -5),
    ])
    const [written] = await writer.finish()
    const file = await openParquet(written?.path ?? '')
    await file.close()
    expect(file.rowGroups).toEqual([3, 2])
  })
})

async function nameFiles(
  nameFormat: string,
  rows: Parameters<typeof row>[1][],
  folderSize?: number,
): Promise<string[]> {
  const columns = [{ name: 'id', type: 'string' }] as const
  const writer = await createSampleWriter(tempFolder(), '00000', {
    ...layout,
    outputFormat: 'files',
    nameFormat,
    columns,
    ...(folderSize === undefined ? {} : { folderSize }),
  })
  for (const [index, patch] of rows.entries()) {
    await writer.add({ ...sample(0), row: row(index, { columns: {}, ...patch }) })
  }
  const files = await writer.finish()
  return files.flatMap((file) =>
    readdirSync(file.path)
      .filter((name) => name.endsWith('.jpg'))
      .map((name) => `${file.name}/${name}`),
  )
}

describe('files', () => {
  it('names files by the last part of the URL up to its first dot', async () => {
    const urls = [
      'http://a/x/photo.tar.jpg?q',
      'http://a/Photo.png',
      'http://a/',
      'http://a/a%20b%2F..%2Fc.jpg',
    ]
    expect(
      await nameFiles(
        'url',
        urls.map((url) => ({ url })),
      ),
    ).toEqual(['00000/000002.jpg', '00000/Photo (1).jpg', '00000/a b_.jpg', '00000/photo.jpg'])
  })

  it('names files by a column, safely', async () => {
    const ids = ['one', '../../etc/passwd', null, 'one', 'CON']
    expect(
      (
        await nameFiles(
          'column:id',
          ids.map((id) => ({ columns: { id } })),
        )
      ).sort(),
    ).toEqual([
      '00000/000002.jpg',
      '00000/_.._.._etc_passwd.jpg',
      '00000/_CON.jpg',
      '00000/one (1).jpg',
      '00000/one.jpg',
    ])
  })

  it('gives random names of 16 characters that are the same in each run', async () => {
    const names = await nameFiles('random', [{}, {}])
    expect(names.every((name) => /^00000\/[0-9a-f]{16}\.jpg$/.test(name))).toBe(true)
    expect(new Set(names).size).toBe(2)
    expect(await nameFiles('random', [{}, {}])).toEqual(names)
  })

  it('keeps folders at their size', async () => {
    const rows = Array.from({ length: 7 }, () => ({}))
    const names = await nameFiles('key', rows, 3)
    expect(names.map((name) => name.split('/')[0])).toEqual([0, 0, 0, 1, 1, 1, 2].map((n) => `00000-${n}`))
  })

  it('refuses layouts that do not fit together', async () => {
    for (const patch of [
      { nameFormat: 'url' },
      { outputFormat: 'files', nameFormat: 'column:nope' },
      { outputFormat: 'files', nameFormat: 'size' },
    ] as const) {
      await expect(createSampleWriter(tempFolder(), '00000', { ...layout, ...patch })).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
    }
  })
})
