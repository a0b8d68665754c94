export { confine, ConfinedRoot } from './confine.ts'
export { DirectoryCache } from './directory-cache.ts'
export { hasTypeExtension, splitName, type SplitName } from './file-extension.ts'
export { HashSet64 } from './hash-set-64.ts'

export { lastSegment, nameFromResponse, type NamedResponse } from './name-from-response.ts'
export { nameKey } from './name-key.ts'
export { NameRegistry } from './name-registry.ts'
export { withNumber } from './numbered-name.ts'
export { decodeSegment } from './percent-decoding.ts'
export { safeFileName, type NameLimits, type SafeNameOptions } from './safe-file-name.ts'
export { safeRelativePath } from './safe-relative-path.ts'
export {
  compileTemplate,
  downloadFields,
  downloadValues,
  type NamedDownload,
  type NameTemplate,
  type NameTemplateOptions,
  type TemplateRules,
  type TemplateValue,
  type TemplateValues,
} from './template/index.ts'
