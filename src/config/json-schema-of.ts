import * as z from 'zod'
import { commands } from './commands.ts'
import type { Group, Option } from './group.ts'

type Json = Record<string, unknown>

/**
 * JSON Schema (draft 2020-12) of some groups. `resolved` is the form of library calls and requests (`timeoutMs`),
 * `file` that of configuration files (`timeout: 30s`).
 */
export function jsonSchemaOf(groups: readonly Group[], form: 'resolved' | 'file' = 'resolved'): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...objectOf(
      groups
        .flatMap((group) => group.options)
        .filter(({ field }) => form === 'resolved' || field.file !== false),
      form,
    ),
  }
}

/** JSON Schema of configuration files: options, blocks of commands, `hosts` and `sources`. */
export function fileSchemaOf(groups: readonly Group[]): Json {
  const inFile = groups.flatMap((group) => group.options).filter(({ field }) => field.file !== false)
  const forHosts = inFile.filter(({ field }) => field.scope === 'host')
  const forSources = inFile.filter(({ field }) => field.scope !== undefined)
  const root = objectOf(inFile, 'file')
  const blocks = Object.fromEntries(
    Object.entries(commands).map(([name, command]) => {
      const names = new Set(command.groups.flatMap((group) => group.options.map((option) => option.name)))
      return [
        name,
        {
          ...referencesTo(inFile.filter((option) => names.has(option.name))),
          description: `Only for trawl ${name}.`,
        },
      ]
    }),
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of trawl',
    type: 'object',
    properties: Object.fromEntries([
      ...inFile.map(({ key }) => [key, { $ref: `#/$defs/${key}` }] as const),
      ...Object.entries(blocks),
      [
        'hosts',
        {
          description:
            'Options for single hosts: a name, with or without a port, or a pattern such as *.example.org.',
          type: 'object',
          additionalProperties: referencesTo(forHosts),
        },
      ],
      [
        'sources',
        {
          description: 'Options for single sources.',
          type: 'object',
          additionalProperties: referencesTo(forSources),
        },
      ],
    ]),
    additionalProperties: false,
    $defs: root['properties'],
  }
}

function referencesTo(options: readonly Option[]): Json {
  return {
    type: ['object', 'null'],
    properties: Object.fromEntries(options.map(({ key }) => [key, { $ref: `#/$defs/${key}` }])),
    additionalProperties: false,
  }
}

function objectOf(options: readonly Option[], form: 'resolved' | 'file'): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(
      options.map((option) => [form === 'file' ? option.key : option.name, propertyOf(option, form)]),
    ),
    additionalProperties: false,
  }
}

function propertyOf(option: Option, form: 'resolved' | 'file'): Json {
  const { field } = option
  const { kind } = field
  const own = (): Json => {
    const schema = z.toJSONSchema(kind.schema, { io: 'input' }) as Json
    delete schema['$schema']
    return schema
  }
  const value = form === 'file' ? (kind.fileSchema ?? own()) : own()
  return {
    description: field.description,
    ...value,
    ...(field.filled
      ? { default: form === 'file' ? valueInFile(option, field.default) : field.default }
      : {}),
    ...(field.secret === true ? { writeOnly: true } : {}),
  }
}

/** A value as it would stand in a file: lists, maps, numbers and switches as such, the rest as people write it. */
export function valueInFile({ field }: Option, value: unknown): unknown {
  const { kind } = field
  if (Array.isArray(value) || kind.merges || typeof value === 'boolean') return value
  if (typeof value === 'number' && kind.fileSchema === undefined) return value
  const text = kind.toText(value)
  return typeof value === 'number' && /^\d+$/.test(text) ? Number(text) : text
}
