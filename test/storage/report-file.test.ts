import { linkSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ReportFile } from '../../src/storage/index.ts'
import { describeWithVolumes } from '../small-volume.ts'
import { tempFolders } from './temp-folder.ts'

const newFolder = tempFolders()

test('is never written over what is read', () => {
  const dir = newFolder()
  const [list, alias] = [join(dir, 'list'), join(dir, 'alias')]
  writeFileSync(list, 'http://a.example/1\n')
  linkSync(list, alias)
  const inputs = ['http://a.example/', 'x'.repeat(100_000), '\0', '-', join(dir, 'none'), list]
  for (const path of [list, alias, `${dir}/./list`]) {
    expect(() => new ReportFile(path, inputs)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining('--report') }),
    )
  }
  expect(readFileSync(list, 'utf8')).toBe('http://a.example/1\n')
  new ReportFile(join(dir, 'report'), inputs).close()
})

describeWithVolumes('on a volume that gets full', (newVolume) => {
  test('it says so, also where a part of what it had could be written', () => {
    const volume = newVolume(64)
    writeFileSync(join(volume.path, 'fill'), Buffer.alloc(40_000))
    const report = new ReportFile(join(volume.path, 'report'))
    report.addLine({ text: 'x'.repeat(60_000) })
    expect(() => report.close()).toThrow(expect.objectContaining({ code: 'ERR_NO_SPACE' }))
  })
})
