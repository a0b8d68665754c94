import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Sample, SampleImage, SampleWriter, WrittenFile } from '../../src/datasets/samples/index.ts'
import { tempFolder } from '../datasets/temp-folder.ts'

export interface SampleWriterContractCase {
  readonly create: (folder: string) => Promise<SampleWriter>
  /** The sample of a row; some succeed, some fail. `image` replaces the bytes by a file with the same. */
  readonly sample: (index: number, image?: SampleImage) => Sample
  /** The encoded image of a row. */
  readonly image: (index: number) => Buffer
  /** Reads the images back, by key. */
  readonly readBack: (files: readonly WrittenFile[]) => Promise<Map<string, Buffer>>
}

/**
 * What every writer of samples promises: all successes and nothing else come back byte for byte, equal samples give
 * equal bytes, nothing stands under a final name, and nothing is left after a stop.
 */
export function describeSampleWriterContract(name: string, given: SampleWriterContractCase): void {
  const count = 20
  const write = async (folder: string, sample = given.sample): Promise<readonly WrittenFile[]> => {
    const writer = await given.create(folder)
    for (let index = 0; index < count; index++) await writer.add(sample(index))
    return writer.finish({ sync: true })
  }

  describe(`${name} keeps the contract of sample writers`, () => {
    it('gives all successes back, byte for byte, and nothing else', async () => {
      const found = await given.readBack(await write(tempFolder()))
      const good = Array.from({ length: count }, (_, i) => i).filter(
        (i) => given.sample(i).status === 'success',
      )
      expect([...found.keys()].sort()).toEqual(good.map((i) => given.sample(i).row.key).sort())
      for (const index of good) {
        expect(found.get(given.sample(index).row.key)?.equals(given.image(index)), `row ${index}`).toBe(true)
      }
    })

    it('gives equal bytes for equal samples', async () => {
      const [a, b] = [await write(tempFolder()), await write(tempFolder())]
      expect(a.map(contentOf)).toEqual(b.map(contentOf))
    })

    it('takes images from files', async () => {
      const folder = tempFolder()
      const fromFile = (index: number): Sample => {
        const path = join(folder, `${index}.bin`)
        writeFileSync(path, given.image(index))
        return given.sample(index, { path })
      }
      const [a, b] = [await write(tempFolder()), await write(tempFolder(), fromFile)]
      expect(a.map(contentOf)).toEqual(b.map(contentOf))
    })

    it('puts nothing under a final name, and says what was written', async () => {
      const folder = tempFolder()
      const files = await write(folder)
      expect(files.length).toBeGreaterThan(0)
      for (const file of files) {
        expect(existsSync(file.path)).toBe(true)
        expect(existsSync(join(folder, file.name))).toBe(false)
        expect(file.sizeBytes).toBeGreaterThan(0)
      }
      expect(readdirSync(folder).filter((entry) => !entry.startsWith('.'))).toEqual([])
    })

    it('writes a shard without any success', async () => {
      const writer = await given.create(tempFolder())
      for (let index = 0; index < count; index++) {
        const failed = given.sample(index)
        if (failed.status !== 'success') await writer.add(failed)
      }
      expect((await given.readBack(await writer.finish())).size).toBe(0)
    })

    it('leaves nothing behind after a stop, also twice', async () => {
      const folder = tempFolder()
      const writer = await given.create(folder)
      for (let index = 0; index < 3; index++) await writer.add(given.sample(index))
      await writer.abort()
      await writer.abort()
      expect(readdirSync(folder)).toEqual([])
    })

    it('refuses a success without an image', async () => {
      const writer = await given.create(tempFolder())
      const { image: _, ...without } = given.sample(0)
      await expect(writer.add(without)).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
      await writer.abort()
    })
  })
}

function contentOf(file: WrittenFile): [string, string][] {
  if (!file.folder) return [[file.name, readFileSync(file.path).toString('base64')]]
  return readdirSync(file.path)
    .sort()
    .map((entry) => [`${file.name}/${entry}`, readFileSync(join(file.path, entry)).toString('base64')])
}
