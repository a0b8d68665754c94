const units = /(?:Ms|Bps|Bytes|Px)$/

/** The name in configuration files: the resolved name without its unit. `limitRateBps` is `limitRate`. */
export function fileKeyOf(name: string): string {
  return name.replace(units, '')
}

/** `maxPerHost` as `max-per-host`. */
function kebab(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

/** `--max-per-host` for `maxPerHost`. */
export function flagNameOf(key: string): string {
  return `--${kebab(key)}`
}

/** `TRAWL_MAX_PER_HOST` for `maxPerHost`. */
export function variableOf(key: string): string {
  return `TRAWL_${kebab(key).replaceAll('-', '_').toUpperCase()}`
}
