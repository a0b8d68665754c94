import { describe, expect, it } from 'vitest'
import { hasTypeExtension, splitName, withNumber } from '../../../src/storage/naming/index.ts'

describe('splitName', () => {
  it.each([
    ['a.txt', 'a', '.txt'],
    ['a.tar.gz', 'a', '.tar.gz'],
    ['a.TAR.ZST', 'a', '.TAR.ZST'],
    ['a.user.js', 'a', '.user.js'],
    ['data.csv.gz', 'data', '.csv.gz'],
    ['a.tar.gz.sha256', 'a', '.tar.gz.sha256'],
    ['a.zip.001', 'a', '.zip.001'],
    ['Mr.Smith.gz', 'Mr.Smith', '.gz'],
    ['v1.2.3.pdf', 'v1.2.3', '.pdf'],
    ['Dr. Strange', 'Dr. Strange', ''],
    ['.bashrc', '.bashrc', ''],
    ['.tar.gz', '.tar', '.gz'],
    ['name', 'name', ''],
    ['name.', 'name.', ''],
    [`a.${'x'.repeat(17)}`, `a.${'x'.repeat(17)}`, ''],
  ])('cuts %s', (name, stem, extension) => {
    expect(splitName(name)).toEqual({ stem, extension })
  })
})

describe('hasTypeExtension', () => {
  it.each([
    ['a.pdf', true],
    ['a.7z', true],
    ['a.mp3', true],
    ['2301.12345', false],
    ['v1.2', false],
    ['a', false],
    ['.bashrc', false],
    ['a.', false],
    ['Dr. Strange', false],
  ])('%s: %s', (name, expected) => {
    expect(hasTypeExtension(name)).toBe(expected)
  })
})

describe('withNumber', () => {
  it.each([
    ['name.ext', 1, 'name (1).ext'],
    ['a.tar.gz', 12, 'a (12).tar.gz'],
    ['plain', 3, 'plain (3)'],
    ['.bashrc', 1, '.bashrc (1)'],
    ['dir.d/a.txt', 1, 'dir.d/a (1).txt'],
    ['dir.d/plain', 1, 'dir.d/plain (1)'],
    ['a (1).txt', 1, 'a (1) (1).txt'],
    [`${'a'.repeat(251)}.txt`, 7, `${'a'.repeat(247)} (7).txt`],
    [`d/${'\u4f60'.repeat(85)}`, 10, `d/${'\u4f60'.repeat(83)} (10)`],
  ])('numbers %s', (name, number, expected) => {
    expect(withNumber(name, number)).toBe(expected)
  })
})
