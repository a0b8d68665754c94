import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPackWriter, type PackFormat, type PackPage } from '../../src/pack/index.ts'
import { GatherWriter } from '../../src/pack/part-file/index.ts'
import { describeWith } from '../programs.ts'
import { describeWithVolumes } from '../small-volume.ts'
import { pageOf, noiseImage } from './sample-pages.ts'

const root = mkdtempSync(join(tmpdir(), 'trawl-full-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describeWithVolumes('a full disk', (newVolume) => {
  let volume = ''
  let pages: PackPage[] = []
  beforeAll(async () => {
    volume = newVolume(1024).path
    const page = await pageOf(
      root,
      'page.png',
      await noiseImage({ width: 400, height: 300, channels: 3 }).png().toBuffer(),
    )
    pages = Array.from({ length: 20 }, (_, index) => ({ ...page, index }))
  })

  it.each<[PackFormat, object]>([
    ['pdf', {}],
    ['pdf', { password: 'x' }],
    ['cbz', {}],
    ['epub', {}],
    ['zip', { password: 'x' }],
    ['folder', {}],
  ])('while %s %j is written is told, and nothing is left', async (format, options) => {
    const path = join(volume, `book.${format}`)
    const writer = createPackWriter(format, { path, ...options })
    const run = async () => {
      for (const page of pages) await writer.add(page)
      await writer.finish({ title: 'A' })
    }
    await expect(run()).rejects.toMatchObject({ code: 'ERR_NO_SPACE' })
    await expect(writer.finish({ title: 'A' })).rejects.toMatchObject({ code: 'ERR_NO_SPACE' })
    await writer.abort()
    expect(readdirSync(volume)).toEqual([])
  })
})

describeWith(['/dev/full'], 'writing in blocks', () => {
  it('tells of an error that came later, at the next call', async () => {
    const fd = openSync('/dev/full', 'w')
    const writer = new GatherWriter(fd)
    const run = async () => {
      for (let i = 0; i < 10; i++) await writer.put(Buffer.alloc(1024 * 1024))
      await writer.flush()
    }
    await expect(run()).rejects.toMatchObject({ code: 'ENOSPC' })
    await writer.settle()
    closeSync(fd)
  })

  it('tells where a file that is copied has become shorter', async () => {
    const path = join(root, 'short')
    writeFileSync(path, 'abc')
    const from = openSync(path, 'r')
    const to = openSync(join(root, 'copy'), 'w')
    const writer = new GatherWriter(to)
    await expect(writer.copy({ fd: from, offset: 0, length: 10 })).rejects.toMatchObject({ code: 'ERR_IO' })
    closeSync(from)
    closeSync(to)
  })
})
