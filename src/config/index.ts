export {
  allGroups,
  bookGroups,
  commands,
  compareGroups,
  configGroups,
  datasetGroups,
  getGroups,
  lookGroups,
  verifyGroups,
  packGroups,
  type BookCommandOptions,
  type BookInput,
  type CommandName,
  type CommandOptions,
  type CompareCommandOptions,
  type DatasetCommandOptions,
  type DatasetInput,
  type GetInput,
  type GetOptions,
  type InputOfGroups,
  type LookOptions,
  type OptionsOfGroups,
  type PackCommandOptions,
} from './commands.ts'
export { parseConfigFile, type ConfigDocument, type ConfigFile } from './config-document.ts'
export { configTemplate } from './config-template.ts'
export { flagsOf, type FlagData } from './flags-of.ts'
export {
  parseCommand,
  isSelection,
  parseChecksum,
  parseDescramble,
  parseHours,
  parseMoment,
  parsePageSize,
  parseResize,
  parseStartAt,
  type BookJobs,
  type DelayRange,
  type HourSpan,
  type PageSizeRule,
  type ResizeRule,
} from './grammars.ts'
export type { Field, FieldMeta } from './field.ts'
export type { Group, InputOf, Option, OptionsOf } from './group.ts'
export type { BookOptions } from './groups/book.ts'
export type { CompareOptions } from './groups/compare.ts'
export type { ConcurrencyOptions } from './groups/concurrency.ts'
export type { ConfigOptions } from './groups/config.ts'
export type { DatasetOptions } from './groups/dataset.ts'
export type { HooksOptions } from './groups/hooks.ts'
export type { ImagesOptions } from './groups/images.ts'
export type { InputOptions } from './groups/input.ts'
export type { IntegrityOptions } from './groups/integrity.ts'
export type { LogOptions } from './groups/log.ts'
export type { NamingOptions } from './groups/naming.ts'
export type { NetworkOptions } from './groups/network.ts'
export type { OutputOptions } from './groups/output.ts'
export type { PackOptions } from './groups/pack.ts'
export type { RetryOptions } from './groups/retry.ts'
export { hostOptions, hostOrigins, matchesHost, sourceOptions } from './host-options.ts'
export { fileSchemaOf, jsonSchemaOf } from './json-schema-of.ts'
export { shownText, shownValue } from './shown-value.ts'
export { unknownVariables } from './unknown-variables.ts'
export { optionsMarkdown } from './options-markdown.ts'
export { originText, type FileLayer, type Origin } from './origin.ts'
export { parseOptions, resolveConfig, type ConfigLayers, type GivenFlags } from './resolve-config.ts'
export type { OptionBlock, ResolvedConfig } from './resolved-config.ts'
export { nearest } from './nearest.ts'
