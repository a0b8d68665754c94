/** Where a value comes from. */
export type Origin =
  | { readonly layer: 'default' }
  | {
      readonly layer: FileLayer
      readonly file: string
      readonly line: number
      readonly column: number
      /** The block inside the file: `book`, or `hosts` or `sources` with the name. */
      readonly block?: string
    }
  | { readonly layer: 'environment'; readonly variable: string }
  | { readonly layer: 'flag'; readonly flag: string }
  | { readonly layer: 'argument'; readonly name: string }

/** Files from low to high: the user's, the project's, and those named for one run. */
export type FileLayer = 'user' | 'project' | 'option'

/** The place as messages begin with it: `--timeout`, `TRAWL_TIMEOUT`, `trawl.config.yaml:3:10`. */
export function originText(origin: Origin): string {
  switch (origin.layer) {
    case 'default':
      return 'default'
    case 'environment':
      return origin.variable
    case 'flag':
      return origin.flag
    case 'argument':
      return origin.name
    default:
      return `${origin.file}:${origin.line}:${origin.column}`
  }
}
