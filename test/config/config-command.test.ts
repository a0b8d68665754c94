import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConfigCommand } from '../../src/cli/config-command.ts'
import {
  loadConfig,
  readConfigFiles,
  userFilePath,
  type ConfigSurroundings,
} from '../../src/cli/config-files.ts'
import { getGroups, parseOptions } from '../../src/config/index.ts'

let root: string
let here: ConfigSurroundings

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trawl-config-'))
  await mkdir(join(root, 'home/.config/trawl'), { recursive: true })
  await mkdir(join(root, 'work/album/deep'), { recursive: true })
  here = { cwd: join(root, 'work/album/deep'), env: {}, platform: 'linux', home: join(root, 'home') }
})

afterEach(() => rm(root, { recursive: true, force: true }))

const userFile = (text: string) => writeFile(join(root, 'home/.config/trawl/config.yaml'), text)
const projectFile = (text: string) => writeFile(join(root, 'work/trawl.config.yaml'), text)

async function run(args: readonly string[], surroundings = here): Promise<string> {
  let out = ''
  const stdout = { write: (text: string) => void (out += text) }
  await createConfigCommand({ surroundings, stdout }).parseAsync([...args], { from: 'user' })
  return out
}

function userPath(env: Record<string, string>, platform: NodeJS.Platform): string {
  return userFilePath({ ...here, home: '/home/u', env, platform })
}

describe('files', () => {
  it('are found by XDG_CONFIG_HOME, below the home folder, and in APPDATA', () => {
    expect(userPath({ XDG_CONFIG_HOME: '/x' }, 'linux')).toBe('/x/trawl/config.yaml')
    expect(userPath({ XDG_CONFIG_HOME: 'relative' }, 'linux')).toBe('/home/u/.config/trawl/config.yaml')
    expect(userPath({}, 'darwin')).toBe('/home/u/.config/trawl/config.yaml')
    expect(userPath({ APPDATA: '/appdata' }, 'win32')).toBe('/appdata/trawl/config.yaml')
  })

  it('are the user file and the nearest project file above', async () => {
    expect(await readConfigFiles(here)).toEqual([])
    await userFile('retries: 1')
    await projectFile('retries: 2')
    expect((await readConfigFiles(here)).map(({ layer, path }) => [layer, path])).toEqual([
      ['user', join(root, 'home/.config/trawl/config.yaml')],
      ['project', join(root, 'work/trawl.config.yaml')],
    ])
    await writeFile(join(root, 'work/album/trawl.config.yaml'), 'retries: 3')
    expect((await readConfigFiles(here))[1]?.path).toBe(join(root, 'work/album/trawl.config.yaml'))
  })

  it('are laid over each other, with option files', async () => {
    await userFile('retries: 1\ncookies: ~/c.txt')
    await projectFile('retries: 2\ndir: out\nsplit: 2')
    await writeFile(join(root, 'work/album/fast.yaml'), 'split: 8')
    const { values, origins } = await loadConfig({
      groups: getGroups,
      flags: { optionFile: ['../fast.yaml'] },
      surroundings: { ...here, env: { TRAWL_RETRIES: '3', TRAWL_SPLIT: '1' } },
      command: 'get',
    })
    expect(values).toMatchObject({
      retries: 3,
      split: 8,
      dir: join(root, 'work/out'),
      cookies: join(root, 'home/c.txt'),
    })
    expect(origins['split']).toMatchObject({
      layer: 'option',
      file: join(root, 'work/album/fast.yaml'),
      line: 1,
    })
  })

  it('are left alone with --no-config and TRAWL_CONFIG=0', async () => {
    await userFile('not: [yaml')
    const off = { groups: getGroups, flags: { config: false }, surroundings: here }
    expect((await loadConfig(off)).values.config).toBe(false)
    const env = { groups: getGroups, flags: {}, surroundings: { ...here, env: { TRAWL_CONFIG: '0' } } }
    expect((await loadConfig(env)).values.retries).toBe(5)
    await expect(loadConfig({ ...off, flags: {} })).rejects.toMatchObject({ code: 'ERR_CONFIG_UNREADABLE' })
  })

  it('that cannot be read are named', async () => {
    const load = (optionFile: string[]) =>
      loadConfig({ groups: getGroups, flags: { optionFile }, surroundings: here })
    await expect(load(['none.yaml'])).rejects.toMatchObject({
      code: 'ERR_CONFIG_UNREADABLE',
      message: '--option: no such file: none.yaml',
    })
    await expect(load(['.'])).rejects.toMatchObject({ code: 'ERR_CONFIG_UNREADABLE' })
    await writeFile(join(here.cwd, 'latin.yaml'), Buffer.from([0x64, 0x3a, 0x20, 0xe9]))
    await expect(load(['latin.yaml'])).rejects.toMatchObject({
      message: expect.stringContaining('not UTF-8 text'),
    })
    await writeFile(join(here.cwd, 'big.yaml'), '#'.repeat(1024 * 1024 + 1))
    await expect(load(['big.yaml'])).rejects.toMatchObject({
      message: expect.stringContaining('larger than'),
    })
  })
})

describe('trawl config show', () => {
  it('shows values, with where they come from', async () => {
    await projectFile(
      'timeout: 90s\nheaders: {Authorization: Bearer abcdefgh}\nhosts: {a.org: {timeout: 1s}}',
    )
    const surroundings = { ...here, env: { TRAWL_RETRIES: '2', TRAWL_TIMOUT: '1' } }
    const plain = await run(['show'], surroundings)
    expect(plain).toContain('\ntimeout: 90s\n')
    const lines = (await run(['show', '--origin'], surroundings)).split('\n')
    const line = (key: string) => lines.find((each) => each.startsWith(`${key}:`))
    const path = join(root, 'work/trawl.config.yaml')
    expect(line('timeout')).toMatch(/^timeout: 90s +# /)
    expect(line('timeout')).toContain(`# ${path}:1:1`)
    expect(line('retries')).toMatch(/^retries: 2 +# TRAWL_RETRIES$/)
    expect(line('split')).toMatch(/# default$/)
    expect(lines).toContain('# TRAWL_TIMOUT is not an option of trawl; did you mean TRAWL_TIMEOUT?')
    expect(lines.join('\n')).not.toContain('abcdefgh')
    const ofHost = (await run(['show', '--origin', '--host', 'a.org'], surroundings)).split('\n')
    expect(ofHost.find((each) => each.startsWith('timeout:'))).toMatch(
      /timeout: 1s .*:3:17 \(hosts\.a\.org\)$/,
    )
  })

  it('is JSON when asked, without secrets', async () => {
    await userFile('user: me:secret\nbook: {retries: 7}')
    const shown: unknown = JSON.parse(await run(['show', '--json', '--origin', '--for', 'book']))
    expect(shown).toMatchObject({
      user: { value: '***', origin: { layer: 'user', line: 1 } },
      retries: { value: 7, origin: { layer: 'user', line: 2, block: 'book' } },
      proxy: { value: null, origin: { layer: 'default' } },
    })
    expect(JSON.parse(await run(['show', '--json']))).toMatchObject({ timeoutMs: 30_000 })
  })

  it('fails for wrong files and unknown commands', async () => {
    await expect(run(['show', '--for', 'nothing'])).rejects.toMatchObject({ code: 'ERR_USAGE' })
    await projectFile('timout: 3')
    await expect(run(['show'])).rejects.toMatchObject({ code: 'ERR_CONFIG_UNKNOWN_KEY' })
    expect(await run(['show', '--no-config'])).toContain('timeout: 30s')
  })
})

describe('trawl config schema and init', () => {
  it('prints a JSON Schema', async () => {
    expect(JSON.parse(await run(['schema']))).toMatchObject({ type: 'object', additionalProperties: false })
  })

  it('writes a file that changes nothing, and never over another', async () => {
    const path = join(here.cwd, 'trawl.config.yaml')
    expect(await run(['init'])).toBe(`Wrote ${path}\n`)
    expect(parse(await readFile(path, 'utf8'))).toBeNull()
    const loaded = await loadConfig({ groups: getGroups, flags: {}, surroundings: here })
    expect(loaded.values).toEqual(parseOptions(getGroups, {}))
    await writeFile(path, 'retries: 1')
    await expect(run(['init'])).rejects.toMatchObject({ code: 'ERR_USAGE', exitCode: 2 })
    expect(await readFile(path, 'utf8')).toBe('retries: 1')
    await run(['init', '--force'])
    expect(await readFile(path, 'utf8')).toContain('#retries: 5')
    await expect(run(['init'], { ...here, cwd: join(root, 'none') })).rejects.toMatchObject({
      code: 'ERR_IO',
    })
  })
})
