import { nearest } from './nearest.ts'
import { allOptions } from './option-index.ts'

/** Variables that begin with `TRAWL_` but belong to no option: slips of the pen, and the name that was meant. */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
): readonly { readonly variable: string; readonly meant?: string }[] {
  const known = new Set([...allOptions().byName.values()].flatMap(({ variable }) => variable ?? []))
  return Object.keys(env)
    .filter((name) => name.startsWith('TRAWL_') && !known.has(name))
    .map((variable) => {
      const meant = nearest(variable, known)
      return meant === undefined ? { variable } : { variable, meant }
    })
}
