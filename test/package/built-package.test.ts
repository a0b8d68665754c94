import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { version } from '../../src/core/index.ts'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../src/testing/index.ts'
import { projectRoot, runNode, runProgram } from './run-program.ts'

interface PackageJson {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
}

const packageJson = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8')) as PackageJson

describe('the version', () => {
  it('is that of package.json', () => {
    expect(version).toBe(packageJson.version)
  })

  it('is told by the command', async () => {
    expect(await runNode('bin/trawl.mjs', '--version')).toEqual({
      status: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })
})

describe('a Node that is too old', () => {
  const onNode = (faked: string): Promise<{ readonly status: number | null; readonly stderr: string }> => {
    const fake = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${faked}' } })
      Object.defineProperty(process, 'version', { value: 'v${faked}' })`
    return runNode(
      '--import',
      `data:text/javascript,${encodeURIComponent(fake)}`,
      'bin/trawl.mjs',
      '--version',
    )
  }

  it.each(['20.20.2', '22.18.0', '18.0.0'])('gets one sentence: %s', async (faked) => {
    const { status, stderr } = await onNode(faked)
    expect(stderr).toBe(`trawl needs Node 22.19 or newer; this is v${faked}. See https://nodejs.org\n`)
    expect(status).toBe(2)
    expect(packageJson.engines.node).toBe('>=22.19')
  })

  it.each(['22.19.0', '24.0.0', '26.1.0'])('is not %s', async (faked) => {
    expect(await onNode(faked)).toMatchObject({ status: 0, stderr: '' })
  })
})

describe('the compiled code', () => {
  let folder = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trawl-cache-'))
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const run = (cacheHome: string): ReturnType<typeof runProgram> =>
    runProgram('env', [
      '-u',
      'NODE_COMPILE_CACHE',
      `XDG_CACHE_HOME=${cacheHome}`,
      'node',
      'bin/trawl.mjs',
      '--version',
    ])

  it('is kept in the cache folder of the user', async () => {
    expect(await run(folder)).toMatchObject({ status: 0, stderr: '' })
    expect(readdirSync(join(folder, 'trawl', 'compiled-code'))).not.toEqual([])
  })

  it('is done without where that cannot be written', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    expect(await run(join(file, 'below'))).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('the package', () => {
  let files: readonly string[] = []

  beforeAll(async () => {
    const { stdout } = await runProgram('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
    const packed = JSON.parse(stdout) as PackedList
    files = Object.values(packed).flatMap((each) => each.files.map(({ path }) => path))
  })

  it('holds the program, its types and its documents, and nothing else', () => {
    const wanted = [
      'bin/trawl.mjs',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      'docs/options.md',
    ]
    const entries = [
      'cli.js',
      'index.js',
      'testing.js',
      'transfer-worker.js',
      'resize-worker.js',
      'sync-worker.js',
    ]
    const built = [...entries, 'index.d.ts', 'testing.d.ts', 'NOTICE'].map((name) => `dist/${name}`)
    expect(files).toEqual(expect.arrayContaining([...wanted, ...built]))
    const allowed =
      /^(?:bin\/[\w-]+\.mjs|dist\/NOTICE|dist\/[\w-]+\.(?:d\.ts|js|js\.map)|docs\/.+\.(?:md|json|svg)|[A-Z]+(?:\.md)?|package\.json)$/
    expect(files.filter((path) => !allowed.test(path))).toEqual([])
  })

  it('imports nothing that it does not depend on', async () => {
    const scripts = files.filter((path) => /^dist\/.*\.js$/.test(path))
    const texts = await Promise.all(scripts.map((path) => readFile(`${projectRoot}${path}`, 'utf8')))
    const imported = texts.flatMap((text) =>
      Array.from(
        text.matchAll(
          /^(?:import|export)\b.*?\bfrom ?"([^."][^"]*)"|\b(?:import|__require)\("([^."][^"]*)"\)/gm,
        ),
      ),
    )
    const packages = new Set(imported.map(([, from, dynamic]) => packageOf(from ?? dynamic ?? '')))
    expect(packages).toContain('tough-cookie')
    expect(packages).toContain('@duckdb/node-bindings')
    const known = (name: string): boolean => isBuiltin(name) || name in packageJson.dependencies
    expect([...packages].filter((name) => !known(name))).toEqual([])
  })
})

describe('examples, on the built package', () => {
  let origin: FaultOrigin
  let dir = ''

  beforeAll(async () => {
    origin = await createFaultOrigin()
    origin.route('/a.bin', respond.withRange(body('a', 100_000)))
    origin.route('/b.bin', respond.withRange(body('b', 2_000)))
    dir = await mkdtemp(join(tmpdir(), 'trawl-package-'))
  })

  afterAll(async () => {
    await origin.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('batch-download.mjs tells what became of each file', async () => {
    const urls = [`${origin.url}/a.bin`, `${origin.url}/missing.bin`, `${origin.url}/b.bin`]
    const { status, stdout, stderr } = await runNode(
      'examples/batch-download.mjs',
      join(dir, 'batch'),
      ...urls,
    )
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toEqual([
      `${urls[0]}: ok, a.bin`,
      expect.stringMatching(/missing\.bin: .*404/),
      `${urls[2]}: ok, b.bin`,
      '2 of 3 files, 102000 bytes',
      '',
    ])
    expect(status).toBe(1)
    expect(await readFile(join(dir, 'batch/a.bin'))).toEqual(body('a', 100_000).bytes())
  })

  it('batch-download-sync.mjs does the same while its thread stands still', async () => {
    const urls = [`${origin.url}/a.bin`, `${origin.url}/b.bin`]
    const { status, stdout, stderr } = await runNode(
      'examples/batch-download-sync.mjs',
      join(dir, 'sync'),
      ...urls,
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('2 of 2 files, 102000 bytes')
    expect(await readFile(join(dir, 'sync/a.bin'))).toEqual(body('a', 100_000).bytes())
  })

  it('follow-job.ts follows and changes a job', async () => {
    const urls = [`${origin.url}/a.bin`, `${origin.url}/setup.exe`]
    const { status, stdout, stderr } = await runNode('examples/follow-job.ts', join(dir, 'follow'), ...urls)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('ok       a.bin 97.7 KiB\n')
    expect(stdout).toContain('skipped ')
    expect(origin.requests.some(({ path }) => path === '/setup.exe')).toBe(false)
  })

  it('fault-origin.ts survives answers that break off', async () => {
    const { stdout, stderr } = await runNode('examples/fault-origin.ts')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^ok, \d+ requests, every byte is right\n$/)
  })

  it.each(['threads', 'processes'])('finds what its workers run: --mode %s', async (mode) => {
    const command = [
      'bin/trawl.mjs',
      'get',
      `${origin.url}/a.bin`,
      `${origin.url}/b.bin`,
      '-d',
      join(dir, mode),
    ]
    expect(await runNode(...command, '--mode', mode)).toMatchObject({ status: 0, stdout: '' })
    expect(await readFile(join(dir, mode, 'a.bin'))).toEqual(body('a', 100_000).bytes())
  })

  it('runs as a command, and goes on from a list', async () => {
    await writeFile(join(dir, 'list'), `${origin.url}/a.bin\n${origin.url}/b.bin\n`)
    const command = ['bin/trawl.mjs', 'get', '-i', join(dir, 'list'), '-d', join(dir, 'command')]
    expect(await runNode(...command)).toMatchObject({ status: 0, stdout: '' })
    origin.reset()
    expect(await runNode(...command)).toMatchObject({ status: 0 })
    expect(origin.requests).toEqual([])
  })
})

/** An array of packages, or from newer versions of npm an object by name. */
type PackedList = Readonly<Record<string, { readonly files: readonly { readonly path: string }[] }>>

function packageOf(specifier: string): string {
  const depth = specifier.startsWith('@') ? 2 : 1
  return specifier.split('/').slice(0, depth).join('/')
}
