import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BookMetadata } from '../../src/core/index.ts'
import {
  createPackWriter,
  openPack,
  type PackedFile,
  type PackFormat,
  type PackOptions,
  type PackPage,
  type ReadPage,
} from '../../src/pack/index.ts'
import { jpegPages } from '../pack/sample-pages.ts'

export interface PackWriterContractCase {
  readonly format: PackFormat
  /** Name of the container in its folder. */
  readonly name: string
  readonly options?: Partial<PackOptions>
  /** False where the container cannot be taken apart again. */
  readonly readsBack?: boolean
  /** True where formats that the container does not know are decoded. */
  readonly converts?: boolean
  /** False where encryption makes each run differ. */
  readonly deterministic?: boolean
}

const metadata: BookMetadata = {
  title: 'A <book> & "more"',
  authors: ['Ada Öst', 'Bo'],
  direction: 'rtl',
  language: 'ja',
  date: '1999-05-07',
  tags: ['one', 'two'],
}

/**
 * What every packer promises: the same pages come out, in order; nothing stands under the final name before all is
 * there; a stop, a kill or a full disk leave no container; what is not ours is not touched.
 */
export function describePackWriterContract(title: string, given: PackWriterContractCase): void {
  const root = mkdtempSync(join(tmpdir(), 'trawl-pack-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  let pages: PackPage[] = []
  let count = 0
  const place = () => {
    const dir = join(root, String(++count))
    mkdirSync(dir)
    return join(dir, given.name)
  }
  const write = async (
    path: string,
    list: readonly PackPage[],
    options: Partial<PackOptions> = {},
  ): Promise<PackedFile> => {
    const writer = createPackWriter(given.format, { path, ...given.options, ...options })
    for (const page of list) await writer.add(page)
    return await writer.finish(metadata)
  }

  describe(`${title} keeps the contract of pack writers`, () => {
    beforeAll(async () => {
      const dir = join(root, 'pages')
      mkdirSync(dir)
      pages = await jpegPages(dir, 12)
    })

    if (given.readsBack !== false) {
      it('gives the same pages back, byte for byte and in order', async () => {
        const path = place()
        await write(path, pages)
        const found = await readAll(path, given.options?.password)
        expect(found.map(({ bytes }) => bytes.toString('hex'))).toEqual(
          pages.map((page) => readFileSync(page.path).toString('hex')),
        )
      })

      it('names 1,001 pages so that any order of names is their order', async () => {
        const path = place()
        const many = Array.from({ length: 1001 }, (_, index): PackPage => {
          const page = pages[index % pages.length]
          if (!page) throw new Error('no pages')
          return { ...page, index }
        })
        await write(path, many, { pageCount: 1001, durability: 'none' })
        const names = (await readAll(path, given.options?.password)).map(({ page }) => page.name)
        expect(names).toHaveLength(1001)
        expect([...names].sort()).toEqual(names)
      })
    }

    it('tells where the bytes of a page lie', async () => {
      const path = place()
      const writer = createPackWriter(given.format, { path, ...given.options })
      const packed = []
      for (const page of pages) packed.push(await writer.add(page))
      await writer.finish(metadata)
      if (statSync(path).isDirectory()) return
      const container = readFileSync(path)
      for (const [i, { offset, length, verbatim }] of packed.entries()) {
        const original = readFileSync(pages[i]?.path ?? '')
        expect(container.subarray(offset, offset + length).equals(original)).toBe(verbatim)
      }
    })

    it('packs a single page', async () => {
      const path = place()
      const file = await write(path, pages.slice(0, 1))
      expect(file.path).toBe(path)
      expect(existsSync(path)).toBe(true)
    })

    it('refuses a book without pages and leaves nothing', async () => {
      const path = place()
      const writer = createPackWriter(given.format, { path, ...given.options })
      await expect(writer.finish(metadata)).rejects.toMatchObject({ code: 'ERR_PACK_UNSUPPORTED' })
      expect(readdirSync(dirname(path))).toEqual([])
    })

    it('takes another page in place of one that it cannot take', async () => {
      const path = place()
      const writer = createPackWriter(given.format, { path, ...given.options })
      const broken = join(root, 'broken.webp')
      writeFileSync(broken, 'RIFF0000WEBPVP8 ')
      const [first] = pages
      if (!first) throw new Error('no pages')
      const facts = { ...first.facts, format: 'webp' } as const
      if (given.converts === true) {
        await expect(writer.add({ ...first, path: broken, facts })).rejects.toMatchObject({
          code: expect.stringMatching(/^ERR_IMAGE_/),
        })
      }
      for (const page of pages) await writer.add(page)
      await writer.finish(metadata)
      if (given.readsBack !== false)
        expect(await readAll(path, given.options?.password)).toHaveLength(pages.length)
    })

    it('refuses pages out of order', async () => {
      const path = place()
      const writer = createPackWriter(given.format, { path, ...given.options })
      const [first, , third] = pages
      if (!first || !third) throw new Error('no pages')
      await writer.add(first)
      await expect(writer.add(third)).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
      await expect(writer.finish(metadata)).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
      await writer.abort()
      expect(readdirSync(dirname(path))).toEqual([])
    })

    it('leaves nothing after an abort, also twice', async () => {
      const path = place()
      const writer = createPackWriter(given.format, { path, ...given.options })
      for (const page of pages.slice(0, 5)) await writer.add(page)
      expect(existsSync(path)).toBe(false)
      await writer.abort()
      await writer.abort()
      expect(readdirSync(dirname(path))).toEqual([])
    })

    it('does not touch what stands under the name, unless told', async () => {
      const path = place()
      writeFileSync(path, 'theirs')
      expect(() => createPackWriter(given.format, { path, ...given.options })).toThrow(
        expect.objectContaining({ code: 'ERR_EXISTS' }),
      )
      expect(readFileSync(path, 'utf8')).toBe('theirs')
      await write(path, pages, { replace: true })
      expect(readdirSync(dirname(path))).toEqual([given.name])
      expect(statSync(path).isDirectory() || readFileSync(path, 'latin1') !== 'theirs').toBe(true)
    })

    it('does not replace what came to stand there meanwhile', async () => {
      const path = place()
      const writer = createPackWriter(given.format, { path, ...given.options })
      for (const page of pages.slice(0, 3)) await writer.add(page)
      writeFileSync(path, 'theirs')
      await expect(writer.finish(metadata)).rejects.toMatchObject({ code: 'ERR_EXISTS' })
      expect(readdirSync(dirname(path))).toEqual([given.name])
      expect(readFileSync(path, 'utf8')).toBe('theirs')
    })

    if (given.deterministic !== false) {
      it('gives the same bytes for the same pages', async () => {
        const [one, two] = [place(), place()]
        await write(one, pages)
        await write(two, pages)
        expect(contentOf(two)).toEqual(contentOf(one))
      })
    }

    it('leaves no container where the run is killed', () => {
      const path = place()
      const script = fileURLToPath(new URL('../pack/killed-run.ts', import.meta.url))
      const list = JSON.stringify(pages)
      const options = JSON.stringify({ path, ...given.options })
      const run = spawnSync('node', [script, given.format, options, list], { encoding: 'utf8' })
      expect(run.signal, run.stderr).toBe('SIGKILL')
      expect(existsSync(path)).toBe(false)
    })

    it('goes on over the rest of a killed run', async () => {
      const path = place()
      writeFileSync(join(dirname(path), `.${given.name}.trawl-part`), 'left over')
      await write(path, pages)
      expect(readdirSync(dirname(path))).toEqual([given.name])
    })
  })
}

async function readAll(
  path: string,
  password: string | undefined,
): Promise<{ page: ReadPage; bytes: Buffer }[]> {
  const reader = await openPack(path, password === undefined ? {} : { password })
  try {
    const found = []
    for await (const page of reader.pages()) found.push({ page, bytes: await page.read() })
    return found
  } finally {
    await reader.close()
  }
}

function contentOf(path: string): Record<string, string> {
  if (!statSync(path).isDirectory()) return { '': readFileSync(path).toString('hex') }
  return Object.fromEntries(
    readdirSync(path).map((name) => [name, readFileSync(join(path, name)).toString('hex')]),
  )
}
