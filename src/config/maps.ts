/** True for plain objects of entries: not for lists and single values. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** In maps an empty value takes an entry away; it was kept until now to hide those of lower layers. */
export function withoutEmptyEntries(values: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(values)) {
    if (!isMap(value) || !Object.values(value).includes('')) continue
    values[name] = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== ''))
  }
  return values
}
