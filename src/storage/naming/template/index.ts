export { downloadFields, downloadValues, type NamedDownload } from './download-fields.ts'
export {
  compileTemplate,
  type NameTemplate,
  type NameTemplateOptions,
  type TemplateValues,
} from './name-template.ts'
export type { TemplateRules } from './parse-template.ts'
export type { TemplateValue } from './value-format.ts'
