import { readFileSync } from 'node:fs'
import { TrawlError } from '../core/index.ts'
import { storageReason } from '../storage/index.ts'

/** The password of the options, or of the file that they name. Throws ERR_CONFIG_UNREADABLE. */
export function passwordOf(options: {
  readonly password?: string | undefined
  readonly passwordFile?: string | undefined
}): string | undefined {
  const { password, passwordFile } = options
  if (passwordFile === undefined) return password
  try {
    return readFileSync(passwordFile, 'utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    throw new TrawlError(
      'ERR_CONFIG_UNREADABLE',
      `--password-file: cannot read ${passwordFile}: ${storageReason(error)}`,
      {
        hint: 'Check that the path exists and that you may read it.',
        cause: error,
        context: { file: passwordFile },
      },
    )
  }
}
