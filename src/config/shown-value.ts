import { redact } from '../core/index.ts'
import type { Option } from './group.ts'
import { valueInFile } from './json-schema-of.ts'
import { isMap } from './maps.ts'
import { yamlValue } from './yaml-value.ts'

const secretName = /^(proxy-)?authorization$|^cookie$|token|secret|passw|key/i

/** The value without what must not be seen: secrets, credentials in URLs, headers that log somebody in. */
export function shownValue(option: Option, value: unknown): unknown {
  if (value === undefined) return undefined
  return option.field.secret === true ? '***' : withoutSecrets(value)
}

/** `shownValue` as it would stand in a configuration file, on one line; empty when the option is not set. */
export function shownText(option: Option, value: unknown): string {
  if (value === undefined) return ''
  if (option.field.secret === true) return '***'
  return yamlValue(withoutSecrets(valueInFile(option, value)))
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each))
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, secretName.test(name) ? '***' : withoutSecrets(each)]),
  )
}
