import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import {
  configGroups,
  parseConfigFile,
  resolveConfig,
  type CommandName,
  type ConfigDocument,
  type ConfigOptions,
  type FileLayer,
  type GivenFlags,
  type Group,
  type OptionsOfGroups,
  type ResolvedConfig,
} from '../config/index.ts'
import { formatSize, isTrawlError, TrawlError } from '../core/index.ts'

/** What a command line knows of the machine it runs on. */
export interface ConfigSurroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /** Home folder of the user. */
  readonly home: string
}

/** Far more than any configuration needs. */
const maxFileBytes = 1024 * 1024

/** Name of the file that belongs to a folder and those below it. */
export const projectFileName = 'trawl.config.yaml'

/**
 * Path of the user's configuration file: `$XDG_CONFIG_HOME/trawl/config.yaml` (XDG Base Directory Specification 0.8;
 * a relative value does not count), on Windows below `%APPDATA%`.
 */
export function userFilePath({ env, platform, home }: ConfigSurroundings): string {
  const appData = env['APPDATA']
  if (platform === 'win32')
    return join(appData ? appData : join(home, 'AppData', 'Roaming'), 'trawl', 'config.yaml')
  const xdg = env['XDG_CONFIG_HOME']
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.config'), 'trawl', 'config.yaml')
}

/** The configuration files that count here: the user's, then the nearest project file, each if it is there. */
export async function readConfigFiles(surroundings: ConfigSurroundings): Promise<readonly ConfigDocument[]> {
  const [user, project] = await Promise.all([
    readOne('user', userFilePath(surroundings)),
    readProjectFile(surroundings.cwd),
  ])
  return [user, project].filter((document) => document !== undefined)
}

/** Option files named for this run, in order. Throws ERR_CONFIG_UNREADABLE when one is not there. */
async function readOptionFiles(paths: readonly string[], cwd: string): Promise<readonly ConfigDocument[]> {
  return Promise.all(
    paths.map(async (path) => {
      const document = await readOne('option', resolve(cwd, path))
      if (document === undefined) {
        throw new TrawlError('ERR_CONFIG_UNREADABLE', `--option: no such file: ${path}`, {
          context: { file: path },
        })
      }
      return document
    }),
  )
}

/**
 * All layers of a command: files, environment, flags. `~/` at the start of a path becomes the home folder. Throws
 * ERR_CONFIG_UNREADABLE, ERR_CONFIG_INVALID and ERR_CONFIG_UNKNOWN_KEY.
 */
export async function loadConfig<const G extends readonly Group[]>(spec: {
  readonly groups: G
  readonly flags: GivenFlags
  readonly surroundings: ConfigSurroundings
  readonly command?: CommandName
}): Promise<ResolvedConfig<OptionsOfGroups<G>>> {
  const { groups, flags, surroundings, command } = spec
  const { env, cwd } = surroundings
  const chosen = chosenFiles(flags, env)
  const [found, named] = await Promise.all([
    chosen.config ? readConfigFiles(surroundings) : [],
    readOptionFiles(chosen.optionFile, cwd),
  ])
  return resolveConfig({
    groups,
    layers: { files: [...found, ...named], env, flags, home: surroundings.home },
    ...(command === undefined ? {} : { command }),
  })
}

/** Which files count must be known before they are read: flags and environment say so alone. */
function chosenFiles(flags: GivenFlags, env: ConfigSurroundings['env']): ConfigOptions {
  const { config, optionFile } = flags
  return resolveConfig({
    groups: configGroups,
    layers: {
      env,
      flags: {
        ...(config === undefined ? {} : { config }),
        ...(optionFile === undefined ? {} : { optionFile }),
      },
    },
  }).values
}

async function readProjectFile(cwd: string): Promise<ConfigDocument | undefined> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const document = await readOne('project', join(folder, projectFileName))
    if (document !== undefined || folder === dirname(folder)) return document
  }
}

/** Undefined when the file is not there. Throws ERR_CONFIG_UNREADABLE. */
async function readOne(layer: FileLayer, path: string): Promise<ConfigDocument | undefined> {
  let text: string
  try {
    const bytes = await readFile(path)
    if (bytes.length > maxFileBytes) throw unreadable(path, `larger than ${formatSize(maxFileBytes)}`)
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (isTrawlError(error)) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const reason =
      error instanceof TypeError
        ? 'not UTF-8 text'
        : error instanceof Error
          ? error.message
          : 'cannot be read'
    throw unreadable(path, reason, error)
  }
  return parseConfigFile({ layer, path, text })
}

function unreadable(path: string, reason: string, cause?: unknown): TrawlError {
  return new TrawlError('ERR_CONFIG_UNREADABLE', `${path}: ${reason}`, { context: { file: path }, cause })
}
