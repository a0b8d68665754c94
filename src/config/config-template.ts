import { defaultTextOf } from './flags-of.ts'
import type { Group, Option } from './group.ts'
import { valueInFile } from './json-schema-of.ts'
import { yamlValue } from './yaml-value.ts'

/**
 * A commented configuration file with every option and its default. Taking the `#` away from a line of an option
 * changes nothing until its value is changed.
 */
export function configTemplate(groups: readonly Group[]): string {
  const parts = groups.flatMap((group) => {
    const options = group.options.filter(({ field }) => field.file === undefined)
    return options.length === 0
      ? []
      : [`# ---- ${group.title}: ${group.about}\n\n${options.map(lines).join('\n')}`]
  })
  return `${head}\n${parts.join('\n')}\n${tail}`
}

const head = `# Configuration of trawl for this folder and those below it.
# Every option stands here with its default: take the # away from a line and change the value.
# Reference: trawl config schema, docs/options.md. Where values come from: trawl config show --origin
`

const tail = `# ---- Only for one command
#
# book:
#   formats: [cbz]

# ---- Only for one host; patterns such as "*.example.org" mean all subdomains
#
# hosts:
#   example.org:
#     maxPerHost: 2

# ---- Only for one source
#
# sources:
#   iiif:
#     partial: placeholder
`

function lines(option: Option): string {
  const { field } = option
  const choices = field.kind.choices === undefined ? '' : ` One of: ${field.kind.choices.join(', ')}.`
  const unset = field.filled ? undefined : defaultTextOf(option)
  const note = unset === undefined ? '' : ` Unset: ${unset}.`
  return `# ${field.description}${choices}${note}\n#${option.key}:${value(option)}\n`
}

function value(option: Option): string {
  return option.field.filled ? ` ${yamlValue(valueInFile(option, option.field.default))}` : ''
}
