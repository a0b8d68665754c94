import { readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { importOrder, oxlintConfig } from '../../scripts/oxlint-config.ts'

const source = fileURLToPath(new URL('../../src', import.meta.url))
const rankOf = new Map(
  importOrder.flatMap((folders, rank) => folders.map((folder) => [folder, rank] as const)),
)
const importPattern = /\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g

/** Every import that crosses from one folder of src/ to another: `importer -> imported`, relative to src/. */
const crossings = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && path.includes(sep))
  .flatMap((path) => {
    const file = resolve(source, path)
    const targets = readFileSync(file, 'utf8').matchAll(importPattern)
    return Array.from(
      targets,
      ([, to]) => [path, relative(source, resolve(dirname(file), to ?? ''))] as const,
    )
  })
  .filter(([from, to]) => folderOf(from) !== folderOf(to))

describe('the import order', () => {
  it('holds: a folder imports only what stands to its left', () => {
    expect(crossings.length).toBeGreaterThan(100)
    // The testing folder is published for tests of others and may look at everything.
    const wrong = crossings.filter(([from, to]) => folderOf(from) !== 'testing' && !(rank(to) < rank(from)))
    expect(wrong.map(show)).toEqual([])
  })

  it('goes through the public face of a folder', () => {
    expect(crossings.filter(([, to]) => to !== `${folderOf(to)}${sep}index.ts`).map(show)).toEqual([])
  })

  it('is what the linter enforces', () => {
    const written: unknown = JSON.parse(readFileSync(resolve(source, '../.oxlintrc.json'), 'utf8'))
    expect(written).toEqual(oxlintConfig())
  })
})

function folderOf(path: string): string {
  return path.slice(0, path.indexOf(sep))
}

/** NaN, which is smaller than nothing, for a folder that the order does not know. */
function rank(path: string): number {
  return rankOf.get(folderOf(path)) ?? Number.NaN
}

function show([from, to]: readonly [string, string]): string {
  return `${from} -> ${to}`
}
