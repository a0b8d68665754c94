/** YAML of a small value on one line: a plain word where that is safe, else its JSON, which is YAML too. */
export function yamlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => yamlValue(each)).join(', ')}]`
  if (
    typeof value === 'string' &&
    /^[A-Za-z_][\w.-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
  )
    return value
  if (typeof value === 'string' && /^\d+(\.\d+)?[A-Za-z]+$/.test(value) && !/^\d+e\d*$/i.test(value))
    return value
  return JSON.stringify(value)
}
