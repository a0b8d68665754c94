import * as z from 'zod'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import {
  allGroups,
  commands,
  configTemplate,
  fileSchemaOf,
  flagsOf,
  jsonSchemaOf,
  optionsMarkdown,
  parseConfigFile,
  parseOptions,
  resolveConfig,
  shownText,
  shownValue,
  unknownVariables,
  type CommandName,
} from '../../src/config/index.ts'
import { generatedDocs } from '../../scripts/generate-docs.ts'
import { readFile } from 'node:fs/promises'

const options = allGroups.flatMap((group) => group.options)

function optionOf(name: string): (typeof options)[number] {
  const found = options.find((option) => option.name === name)
  if (found === undefined) throw new Error(`no option ${name}`)
  return found
}

/** Flags that scripts rely on, by command. */
const promised = {
  get: [
    '-i, --input-file',
    '-d, --dir',
    '-o, --out',
    '-j, --concurrency',
    '-x, --split',
    '--max-per-host',
    '--limit-rate',
    '--retries',
    '--timeout',
    '--header',
    '--referer',
    '--user-agent',
    '--cookies',
    '--proxy',
    '--checksum',
    '--mode',
    '--workers',
    '--on-exists',
    '--durability',
    '--name',
    '--space-wait',
    '--max-size',
    '--remote-time',
    '--interface',
    '--report',
    '--json',
    '-q, --quiet',
    '--dry-run',
    '--insecure',
  ],
  book: [
    '-f, --format',
    '-d, --dir',
    '-o, --out',
    '--chapters',
    '--pages',
    '--by',
    '--name',
    '--filter',
    '--partial',
    '--check',
    '--image-list',
    '--descramble',
    '--convert',
    '--password-file',
    '--title',
    '--author',
    '--direction',
    '--archive',
    '--option',
    '--resize',
    '--grey',
    '--trim',
    '--split-spreads',
    '--slice',
    '--jobs',
    '--pdf-a',
    '--dpi',
    '--page-size',
    '--sidecar',
    '--report',
    '--json',
    '-j, --concurrency',
    '--cookies',
  ],
  dataset: [
    '-d, --dir',
    '--url-col',
    '--caption-col',
    '--save-columns',
    '--image-size',
    '--resize-mode',
    '--resize-only-if-bigger',
    '--encode-format',
    '--encode-quality',
    '--output-format',
    '--shard-size',
    '--min-image-size',
    '--max-image-area',
    '--max-aspect-ratio',
    '--folder-size',
    '--name-format',
    '--slice',
    '--delay',
    '--queue',
    '--compute-hash',
    '--verify-hash',
    '--upscale-interpolation',
    '--downscale-interpolation',
    '--incremental',
    '--reencode',
    '--no-extract-exif',
    '--user-agent-token',
    '--disallowed-directives',
    '--shard-digits',
    '--robots',
    '--bbox-col',
    '--phash',
    '--prometheus-port',
    '--where',
    '--shuffle-seed',
    '--dedup',
    '--mode',
    '--workers',
    '--json',
    '--report',
  ],
  pack: ['-f, --format', '-o, --out', '--password-file', '--title', '--convert'],
  compare: ['--modes', '--plot', '-d, --dir'],
  verify: ['--json', '-q, --quiet', '--report'],
  retry: ['-d, --dir', '--report', '--header', '--on-exists', '--dry-run', '--json'],
  status: ['--json', '-q, --quiet', '-d, --dir'],
  clean: ['--json', '-q, --quiet', '--dry-run'],
} satisfies Record<CommandName, readonly string[]>

function promisedTo(name: string): readonly string[] {
  const flags = Object.entries(promised).find(([each]) => each === name)?.[1]
  if (flags === undefined) throw new Error(`nothing is promised of ${name}`)
  return flags
}

describe('flags', () => {
  for (const [name, command] of Object.entries(commands)) {
    it(`trawl ${name} has every flag that was promised`, () => {
      const has = flagsOf(command.groups, command.without).map(({ short, long }) =>
        short === undefined ? long : `${short}, ${long}`,
      )
      expect(promisedTo(name).filter((flag) => !has.includes(flag))).toEqual([])
    })
  }

  it('are unique within each command, and their texts complete', () => {
    for (const [name, command] of Object.entries(commands)) {
      const flags = flagsOf(command.groups, command.without)
      const names = flags.flatMap(({ long, short, opposite }) =>
        [long, short, opposite].filter((each) => each !== undefined),
      )
      expect(names.length, name).toBe(new Set(names).size)
      for (const flag of flags) expect(flag.description, flag.long).toMatch(/^[A-Z;a-z-].*\.$/s)
    }
  })

  it('left out of a command are options of it', () => {
    for (const command of Object.values(commands)) {
      const names: string[] = command.groups.flatMap((group) => group.options.map(({ name }) => name))
      expect(command.without.filter((each) => !names.includes(each))).toEqual([])
    }
  })
})

describe('names', () => {
  it('are unique over all groups and collide with no block', () => {
    for (const pick of ['name', 'key', 'variable'] as const) {
      const names = options.map((option) => option[pick]).filter((each) => each !== undefined)
      expect(names.filter((each, at) => names.indexOf(each) !== at)).toEqual([])
    }
    const blocks = ['hosts', 'sources', ...Object.keys(commands)]
    expect(options.filter(({ key }) => blocks.includes(key)).map(({ key }) => key)).toEqual([])
  })

  it('follow from one another', () => {
    expect(optionOf('limitRateBps')).toMatchObject({
      key: 'limitRate',
      flag: '--limit-rate',
      variable: 'TRAWL_LIMIT_RATE',
    })
    expect(optionOf('password')).toMatchObject({ variable: 'TRAWL_PASSWORD' })
    expect(optionOf('password').flag).toBeUndefined()
  })

  it('of variables that are not known are told', () => {
    expect(unknownVariables({ TRAWL_TIMOUT: '1', TRAWL_TIMEOUT: '1', PATH: 'x', TRAWL_QQQQQQ: '1' })).toEqual(
      [{ variable: 'TRAWL_TIMOUT', meant: 'TRAWL_TIMEOUT' }, { variable: 'TRAWL_QQQQQQ' }],
    )
  })
})

describe('the template of config init', () => {
  it('holds only comments', () => {
    expect(parse(configTemplate(allGroups))).toBeNull()
  })

  it('gives the defaults when every option is uncommented', async () => {
    const lines = configTemplate(allGroups).split('\n')
    const text = lines.map((line) => line.replace(/^#([a-zA-Z0-9]+:)/, '$1')).join('\n')
    const document = await parseConfigFile({ layer: 'project', path: 'trawl.config.yaml', text })
    const keys = document.entries.map(({ key }) => key)
    expect(keys).toEqual(options.filter(({ field }) => field.file === undefined).map(({ key }) => key))
    const { values, origins } = resolveConfig({ groups: allGroups, layers: { files: [document] } })
    expect(values).toEqual(parseOptions(allGroups, {}))
    expect(origins['retries']).toMatchObject({ layer: 'project' })
  })
})

describe('JSON Schema', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(optionsMarkdown(allGroups))?.[1] ?? ''

  it('of files takes the example of the documentation, and refuses what resolveConfig refuses', async () => {
    const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(fileSchemaOf(allGroups))))
    const document = await parseConfigFile({ layer: 'user', path: 'x.yaml', text: example })
    expect(document.entries.length).toBeGreaterThan(4)
    resolveConfig({ groups: allGroups, layers: { files: [document] }, command: 'book' })
    expect(schema.safeParse(parse(example)).error).toBeUndefined()
    for (const bad of [
      'timout: 3',
      'retries: many',
      'onExists: no',
      'hosts: {a.org: {dir: x}}',
      'book: {x: 1}',
    ]) {
      expect(schema.safeParse(parse(bad)).success, bad).toBe(false)
    }
  })

  it('of calls has names with units, descriptions and defaults', () => {
    const schema = jsonSchemaOf(allGroups)
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: {
        timeoutMs: {
          type: 'integer',
          minimum: 0,
          default: 30_000,
          description: expect.stringContaining('wait'),
        },
        onExists: { enum: ['resume', 'skip', 'overwrite', 'rename', 'error'], default: 'resume' },
        password: { writeOnly: true },
      },
    })
  })

  it('of a group is the strict schema itself', () => {
    for (const group of allGroups) {
      expect(group.schema.safeParse({}).success, group.name).toBe(true)
      expect(group.schema.safeParse({ surelyNot: 1 }).success, group.name).toBe(false)
    }
    const output = allGroups.find(({ name }) => name === 'output')
    const result = output?.schema.safeParse({ minSizeBytes: 2, maxSizeBytes: 1 })
    expect(result?.error?.issues[0]).toMatchObject({
      path: ['minSizeBytes'],
      message: 'must not be more than maxSize',
    })
  })
})

describe('shown values', () => {
  it('are as people write them', () => {
    expect(shownText(optionOf('timeoutMs'), 90_000)).toBe('90s')
    expect(shownText(optionOf('limitRateBps'), 0)).toBe('0')
    expect(shownText(optionOf('robots'), 'on')).toBe('"on"')
    expect(shownText(optionOf('formats'), ['pdf', 'cbz'])).toBe('[pdf, cbz]')
    expect(shownText(optionOf('proxy'), undefined)).toBe('')
  })

  it('hold no secrets', () => {
    expect(shownValue(optionOf('user'), 'a:b')).toBe('***')
    expect(shownText(optionOf('bearerToken'), 'abc')).toBe('***')
    expect(shownText(optionOf('proxy'), 'http://me:pw@p:1')).toBe('"http://***@p:1"')
    expect(shownValue(optionOf('headers'), { cookie: 'a', 'x-api-key': 'b', accept: 'c' })).toEqual({
      cookie: '***',
      'x-api-key': '***',
      accept: 'c',
    })
  })
})

describe('generated documents', () => {
  for (const [path, text] of generatedDocs()) {
    it(`${path} is up to date`, async () => {
      expect(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text)
    })
  }

  it('name every option and every flag', () => {
    const markdown = optionsMarkdown(allGroups)
    for (const { name, flag } of options) {
      expect(markdown).toContain(`\`${name}\``)
      if (flag !== undefined && !markdown.includes(flag)) expect(markdown).toContain(`--no-${flag.slice(2)}`)
    }
  })
})
